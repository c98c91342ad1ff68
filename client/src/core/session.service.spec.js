import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import './core.module.js'
import { challengeOf } from './pkce.js'

const ME = { id: '1', name: 'Amara', uses: ['work'], theme: 'dark' }
const TOKENS = { access_token: 'a1', refresh_token: 'r1', expires_in: 3600, token_type: 'Bearer' }

function fakeWindow(href) {
  const store = () => {
    const kept = new Map()
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, value),
      removeItem: (key) => kept.delete(key),
    }
  }
  return { location: { href, assign: vi.fn() }, sessionStorage: store(), localStorage: store(), document: window.document, addEventListener() {} }
}

function session(href) {
  const $window = fakeWindow(href)
  let found
  angular.mock.module('guildhall.core')
  angular.mock.inject(($injector, $http, $q, $timeout, $location, $httpBackend, $rootScope) => {
    const Service = $injector.get('session').constructor
    const made = new Service($window, $http, $q, $timeout, $location)
    found = { session: made, $window, $httpBackend, $rootScope, $location, $timeout }
  })
  return found
}

async function settle(check) {
  await vi.waitFor(check)
}

describe('session', () => {
  beforeEach(() => {
    delete window.document.documentElement.dataset.theme
  })

  it('is nobody without a hint, and calls nobody', () => {
    const { session: it_, $rootScope, $window, $httpBackend } = session('http://localhost:3000/feed')
    let settled = false
    it_.settled().then(() => (settled = true))
    $rootScope.$apply()
    expect(settled).toBe(true)
    expect(it_.isSignedIn).toBe(false)
    expect($window.location.assign).not.toHaveBeenCalled()
    $httpBackend.verifyNoOutstandingRequest()
  })

  it('leaves for the authorisation page with an S256 challenge of the verifier it keeps', async () => {
    const { session: it_, $window } = session('http://localhost:3000/feed')
    it_.signIn('/feed?q=ducks')
    await settle(() => expect($window.location.assign).toHaveBeenCalledOnce())
    const url = new URL($window.location.assign.mock.calls[0][0], 'http://localhost:3000')
    const pending = JSON.parse($window.sessionStorage.getItem('guildhall.signing-in'))
    expect(url.pathname).toBe('/oauth/authorize')
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: 'guildhall-web',
      redirect_uri: 'http://localhost:3000/signed-in',
      code_challenge_method: 'S256',
      code_challenge: await challengeOf(pending.verifier),
      state: pending.state,
    })
    expect(pending.path).toBe('/feed?q=ducks')
  })

  it('exchanges the code, keeps tokens out of every storage, and goes back to where it began', () => {
    const { session: it_, $window, $httpBackend, $location } = session('http://localhost:3000/signed-in?code=c1&state=s1')
    $window.sessionStorage.setItem('guildhall.signing-in', JSON.stringify({ state: 's1', verifier: 'v1', path: '/feed?q=x' }))
    $httpBackend
      .expectPOST('/oauth/token', (body) => {
        const fields = Object.fromEntries(new URLSearchParams(body))
        return fields.code === 'c1' && fields.code_verifier === 'v1' && fields.grant_type === 'authorization_code'
      })
      .respond(TOKENS)
    $httpBackend.expectGET('/api/v1/me').respond(ME)
    it_.settled()
    $httpBackend.flush()
    expect(it_.me).toEqual(ME)
    expect(it_.tokens.access_token).toBe('a1')
    expect($location.url()).toBe('/feed?q=x')
    expect($window.localStorage.getItem('guildhall.was-signed-in')).toBe('1')
    expect($window.sessionStorage.getItem('guildhall.signing-in')).toBe(null)
    expect(window.document.documentElement.dataset.theme).toBe('dark')
  })

  it('drops an answer whose state it did not ask with', () => {
    const { session: it_, $window, $httpBackend, $rootScope } = session('http://localhost:3000/signed-in?code=stolen&state=other')
    $window.sessionStorage.setItem('guildhall.signing-in', JSON.stringify({ state: 's1', verifier: 'v1', path: '/' }))
    it_.settled()
    $rootScope.$apply()
    expect(it_.isSignedIn).toBe(false)
    $httpBackend.verifyNoOutstandingRequest()
  })

  it('says why signing in failed and does not try again by itself', () => {
    const { session: it_, $window, $httpBackend } = session('http://localhost:3000/signed-in?code=c1&state=s1')
    $window.sessionStorage.setItem('guildhall.signing-in', JSON.stringify({ state: 's1', verifier: 'v1', path: '/work' }))
    $window.localStorage.setItem('guildhall.was-signed-in', '1')
    $httpBackend.expectPOST('/oauth/token').respond(400, { error: 'invalid_grant' })
    it_.settled()
    $httpBackend.flush()
    expect(it_.failure).not.toBe('')
    expect($window.location.assign).not.toHaveBeenCalled()
    expect($window.localStorage.getItem('guildhall.was-signed-in')).toBe(null)
  })

  it('goes through the redirect silently after a reload', async () => {
    const first = session('http://localhost:3000/work')
    first.$window.localStorage.setItem('guildhall.was-signed-in', '1')
    first.session.settled()
    await settle(() => expect(first.$window.location.assign).toHaveBeenCalledOnce())
  })

  it('gives up a redirect that was abandoned half-way', () => {
    const again = session('http://localhost:3000/')
    again.$window.localStorage.setItem('guildhall.was-signed-in', '1')
    again.$window.sessionStorage.setItem('guildhall.signing-in', '{"state":"s"}')
    again.session.settled()
    again.$rootScope.$apply()
    expect(again.$window.location.assign).not.toHaveBeenCalled()
    expect(again.$window.localStorage.getItem('guildhall.was-signed-in')).toBe(null)
  })

  it('refreshes once for many, and rotates', () => {
    const { session: it_, $httpBackend } = session('http://localhost:3000/')
    it_.keep(TOKENS)
    $httpBackend
      .expectPOST('/oauth/token', (body) => new URLSearchParams(body).get('refresh_token') === 'r1')
      .respond({ ...TOKENS, access_token: 'a2', refresh_token: 'r2' })
    const done = []
    it_.refresh().then(() => done.push(it_.tokens.access_token))
    it_.refresh().then(() => done.push(it_.tokens.access_token))
    $httpBackend.flush()
    expect(done).toEqual(['a2', 'a2'])
    expect(it_.tokens.refresh_token).toBe('r2')
    $httpBackend.verifyNoOutstandingExpectation()
  })

  it('refreshes in the background before the token runs out', () => {
    const { session: it_, $httpBackend, $timeout } = session('http://localhost:3000/')
    it_.keep(TOKENS)
    $httpBackend.expectPOST('/oauth/token').respond({ ...TOKENS, access_token: 'a2' })
    $timeout.flush(3_540_000)
    $httpBackend.flush()
    expect(it_.tokens.access_token).toBe('a2')
  })

  it('keeps the tokens when the server cannot be reached, drops them when it refuses', () => {
    const { session: it_, $httpBackend } = session('http://localhost:3000/')
    it_.keep(TOKENS)
    $httpBackend.expectPOST('/oauth/token').respond(-1)
    it_.refresh().catch(() => {})
    $httpBackend.flush()
    expect(it_.tokens.refresh_token).toBe('r1')
    $httpBackend.expectPOST('/oauth/token').respond(400, { error: 'invalid_grant' })
    it_.refresh().catch(() => {})
    $httpBackend.flush()
    expect(it_.tokens).toBe(null)
  })

  it('revokes and leaves for the server when signing out', () => {
    const { session: it_, $httpBackend, $window } = session('http://localhost:3000/')
    it_.keep(TOKENS)
    it_.setMe(ME)
    $httpBackend.expectPOST('/oauth/revoke', (body) => new URLSearchParams(body).get('token') === 'r1').respond(200)
    it_.signOut()
    $httpBackend.flush()
    expect(it_.isSignedIn).toBe(false)
    expect($window.location.assign).toHaveBeenCalledWith('/accounts/logout/')
  })
})
