import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { waitBeforeRetry } from './api.interceptor.js'
import './core.module.js'
import { Problem } from './problem.js'

const TOKENS = { access_token: 'a1', refresh_token: 'r1', expires_in: 3600 }

describe('the API interceptor', () => {
  let $http, $httpBackend, $timeout, session, clock

  beforeEach(() => {
    window.sessionStorage.clear()
    angular.mock.module('guildhall.core')
    angular.mock.inject((_$http_, _$httpBackend_, _$timeout_, _session_, _clock_) => {
      $http = _$http_
      $httpBackend = _$httpBackend_
      $timeout = _$timeout_
      session = _session_
      clock = _clock_
    })
    session.keep(TOKENS)
    session.me = { uses: [] }
    session.signIn = vi.fn()
  })

  it('adds the token, and a key to unsafe calls only', () => {
    $httpBackend.expectGET('/api/v1/me', (headers) => headers.Authorization === 'Bearer a1' && !headers['Idempotency-Key']).respond({})
    $httpBackend.expectPOST('/api/v1/projects', {}, (headers) => /^[0-9a-f-]{36}$/.test(headers['Idempotency-Key'])).respond({})
    $http.get('/api/v1/me')
    $http.post('/api/v1/projects', {})
    $httpBackend.flush()
  })

  it('tells safe calls how far the database must have come, as answers said', () => {
    const sent = []
    const note = (headers) => Boolean(sent.push(headers['X-Read-After']))
    const call = (method, answer) => {
      $httpBackend.expect(method, '/api/v1/projects', undefined, note).respond(...answer)
      $http({ method, url: '/api/v1/projects', retry: false }).catch(() => {})
      $httpBackend.flush()
    }
    call('GET', [200, []])
    call('POST', [201, {}, { 'X-Read-After': '00000003a4c1f0d8' }])
    call('GET', [200, []])
    call('POST', [409, {}, { 'X-Read-After': '00000003b0000000' }])
    call('POST', [201, {}, { 'X-Read-After': '00000003a4c1f0d9' }])
    call('GET', [200, []])
    expect(sent).toEqual([undefined, undefined, '00000003a4c1f0d8', undefined, undefined, '00000003b0000000'])
  })

  it('leaves calls to elsewhere alone', () => {
    $httpBackend.expectGET('https://elsewhere.example/x', (headers) => !headers.Authorization).respond({})
    $http.get('https://elsewhere.example/x')
    $httpBackend.flush()
  })

  it('repeats with the same key when no answer came, until one does', () => {
    const keys = []
    const note = (headers) => Boolean(keys.push(headers['Idempotency-Key']))
    let answer
    $httpBackend.expectPOST('/api/v1/projects', { title: 'x' }, note).respond(-1)
    $http.post('/api/v1/projects', { title: 'x' }).then((response) => (answer = response.data))
    $httpBackend.flush()
    $httpBackend.expectPOST('/api/v1/projects', { title: 'x' }, note).respond(503, '')
    $timeout.flush(1000)
    $httpBackend.flush()
    $httpBackend.expectPOST('/api/v1/projects', { title: 'x' }, note).respond(201, { id: '1' })
    $timeout.flush(2000)
    $httpBackend.flush()
    expect(answer).toEqual({ id: '1' })
    expect(new Set(keys).size).toBe(1)
    expect(keys[0]).toBeTruthy()
  })

  it('gives up after four attempts with a problem that says so', () => {
    let problem
    $http.get('/api/v1/feed').catch((error) => (problem = error))
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      $httpBackend.expectGET('/api/v1/feed').respond(-1)
      if (attempt > 1) $timeout.flush(5000)
      $httpBackend.flush()
    }
    expect(problem).toBeInstanceOf(Problem)
    expect(problem.code).toBe('offline')
    $httpBackend.verifyNoOutstandingExpectation()
  })

  it('does not repeat what the server refused', () => {
    let problem
    $httpBackend.expectPOST('/api/v1/assignments/1/submit').respond(
      400,
      { code: 'invalid_answer', detail: 'No.', errors: [{ field: 'label', code: 'required', detail: 'Missing.' }], request_id: 'q' },
      { 'Content-Type': 'application/problem+json' },
    )
    $http.post('/api/v1/assignments/1/submit', {}).catch((error) => (problem = error))
    $httpBackend.flush()
    $timeout.flush(20_000)
    $httpBackend.verifyNoOutstandingRequest()
    expect(problem).toMatchObject({ status: 400, code: 'invalid_answer', detail: 'No.', fields: { label: 'Missing.' }, requestId: 'q' })
  })

  it('waits as long as Retry-After asks, and not at all when that is too long', () => {
    const rejection = (status, after) => ({ status, headers: () => after })
    expect(waitBeforeRetry({ attempt: 1 }, rejection(503, '3'), () => 0.5)).toBe(3000)
    expect(waitBeforeRetry({ attempt: 1 }, rejection(429, '40'))).toBe(null)
    expect(waitBeforeRetry({ attempt: 2 }, rejection(-1, null), () => 0.5)).toBe(600)
    expect(waitBeforeRetry({ attempt: 1 }, rejection(500, null))).toBe(null)
    expect(waitBeforeRetry({ attempt: 1, retry: false }, rejection(-1, null))).toBe(null)
  })

  it('refreshes once after a 401 and repeats with the new token and the old key', () => {
    const keys = []
    let answer
    const note = (token) => (headers) => headers.Authorization === `Bearer ${token}` && Boolean(keys.push(headers['Idempotency-Key']))
    $httpBackend.expectPOST('/api/v1/x', {}, note('a1')).respond(401, { code: 'not_authenticated' })
    $httpBackend.expectPOST('/oauth/token').respond({ ...TOKENS, access_token: 'a2', refresh_token: 'r2' })
    $httpBackend.expectPOST('/api/v1/x', {}, note('a2')).respond({ ok: true })
    $http.post('/api/v1/x', {}).then((response) => (answer = response.data))
    $httpBackend.flush()
    expect(answer).toEqual({ ok: true })
    expect(new Set(keys).size).toBe(1)
    expect(session.signIn).not.toHaveBeenCalled()
  })

  it('asks to sign in when the refresh is refused too', () => {
    let problem
    $httpBackend.expectGET('/api/v1/x').respond(401, { code: 'not_authenticated', detail: 'No.' })
    $httpBackend.expectPOST('/oauth/token').respond(400, { error: 'invalid_grant' })
    $http.get('/api/v1/x').catch((error) => (problem = error))
    $httpBackend.flush()
    expect(problem.code).toBe('not_authenticated')
    expect(session.signIn).toHaveBeenCalledOnce()
  })

  it('takes the server time from answers, except from repeated ones', () => {
    const time = new Date(Date.now() + 3_600_000).toISOString()
    $httpBackend.expectGET('/api/v1/a').respond({ server_time: time }, { 'Idempotency-Replayed': 'true' })
    $http.get('/api/v1/a')
    $httpBackend.flush()
    expect(clock.offset).toBe(0)
    $httpBackend.expectGET('/api/v1/b').respond({ server_time: time })
    $http.get('/api/v1/b')
    $httpBackend.flush()
    expect(clock.offset).toBeGreaterThan(3_590_000)
  })
})
