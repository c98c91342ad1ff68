import angular from 'angular'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import '../notifications.module.js'

const LIST = /^\/api\/v1\/notifications\?/
const READ = '/api/v1/notifications/read'
const UNREAD = '/api/v1/notifications/unread'

const notice = (id, more = {}) => ({
  id, kind: 'assignment.submitted', subject: `p${id}`, count: 2, amount: null, data: { title: `Project ${id}` },
  at: new Date().toISOString(), read_at: null, ...more,
})

describe('the notifications of a user', () => {
  let $httpBackend, $rootScope, $compile, notifications, live, host

  beforeEach(() => {
    angular.mock.module('guildhall.notifications')
    angular.mock.inject((_$httpBackend_, _$rootScope_, _$compile_, _notifications_, _live_, session) => {
      ;[$httpBackend, $rootScope, $compile, notifications, live] = [_$httpBackend_, _$rootScope_, _$compile_, _notifications_, _live_]
      session.settling = Promise.resolve()
    })
  })

  afterEach(() => {
    $httpBackend.verifyNoOutstandingExpectation(false)
    host?.remove()
  })

  function open(rows, headers) {
    $httpBackend.expectGET(LIST).respond(200, rows, headers)
    host = $compile('<gh-inbox></gh-inbox>')($rootScope.$new())[0]
    document.body.append(host)
    $rootScope.$digest()
    $httpBackend.flush()
  }

  const items = () => [...host.querySelectorAll('.notice')]
  const button = (words) => [...host.querySelectorAll('button')].find((each) => each.textContent.includes(words))
  const click = (element) => {
    element.click()
    $rootScope.$digest()
  }

  it('stand under their days, and say which are unread', () => {
    open([notice(3), notice(2, { read_at: '2026-01-01T00:00:00Z' }), notice(1, { at: '2020-05-04T12:00:00Z' })])
    expect([...host.querySelectorAll('h2')].map((each) => each.textContent)[0]).toBe('Today')
    expect(items().map((each) => each.textContent.includes('Unread'))).toEqual([true, false, true])
    expect(items()[0].querySelector('a').getAttribute('href')).toBe('/projects/p3/review')
    expect(items()[0].textContent).toContain('2 new answers in “Project 3”')
  })

  it('are all read up to the newest that is shown', () => {
    open([notice(9), notice(4)])
    $httpBackend.expectPOST(READ, { up_to: 9 }).respond({ count: 0 })
    click(button('Mark all'))
    $httpBackend.flush()
    expect(host.querySelector('.unread')).toBe(null)
    expect(button('Mark all')).toBe(undefined)
  })

  it('stay unread when they could not be marked', () => {
    open([notice(9)])
    $httpBackend.expectPOST(READ).respond(400, {})
    click(button('Mark all'))
    $httpBackend.flush()
    expect(host.querySelector('.unread')).not.toBe(null)
  })

  it('are read by going to the thing', () => {
    open([notice(9), notice(4)])
    $httpBackend.expectPOST(READ, { ids: [4] }).respond({ count: 1 })
    const link = items()[1].querySelector('a')
    link.addEventListener('click', (event) => event.preventDefault())
    click(link)
    $httpBackend.flush()
    expect(items().map((each) => each.classList.contains('unread'))).toEqual([true, false])
    expect(notifications.unread).toBe(1)
  })

  it('say that there are none, that all is read, and that they could not be loaded', () => {
    open([])
    expect(host.textContent).toContain('Nothing yet')
    $httpBackend.expectGET('/api/v1/notifications?limit=50&unread=1').respond([])
    click(button('Unread'))
    $httpBackend.flush()
    expect(host.textContent).toContain('All is read')
    $httpBackend.expectGET(LIST).respond(400, { detail: 'No.' })
    click(button('Show what was read'))
    $httpBackend.flush()
    expect(host.textContent).toContain('could not be loaded')
  })

  it('are fetched again when something happens, without taking away what is shown', () => {
    open([notice(1)])
    $httpBackend.expectGET(LIST).respond([notice(2), notice(1)])
    live.changed('notification')
    expect(items().length).toBe(1)
    $httpBackend.flush()
    expect(items().length).toBe(2)
  })

  describe('and the bell', () => {
    const event = (about) => ({ event: 'notification.created', data: { about } })

    function bell(count) {
      $httpBackend.expectGET(UNREAD).respond({ count })
      host = $compile('<gh-bell></gh-bell>')($rootScope.$new())[0]
      document.body.append(host)
      $rootScope.$digest()
      $httpBackend.flush()
      return () => host.querySelector('a').getAttribute('aria-label')
    }

    it('says how many are unread', () => {
      expect(bell(0)()).toBe('Notifications')
      host.remove()
      expect(bell(3)()).toBe('Notifications, 3 unread')
      host.remove()
      expect(bell(1000)()).toBe('Notifications, 99+ unread')
    })

    it('counts again when there is a new one', () => {
      const label = bell(0)
      $httpBackend.expectGET(UNREAD).respond({ count: 1 })
      notifications.happened([event('p')])
      $httpBackend.flush()
      expect(label()).toBe('Notifications, 1 unread')
    })

    it('takes as read what is told about the thing the user looks at', () => {
      const label = bell(2)
      $httpBackend.expectPOST(READ, { subject: 'p' }).respond({ count: 1 })
      const off = notifications.watch('p')
      $httpBackend.flush()
      expect(label()).toBe('Notifications, 1 unread')
      $httpBackend.expectPOST(READ, { subject: 'p' }).respond({ count: 1 })
      notifications.happened([event('p')])
      $httpBackend.flush()
      off()
      $httpBackend.expectGET(UNREAD).respond({ count: 2 })
      notifications.happened([event('p')])
      $httpBackend.flush()
      expect(label()).toBe('Notifications, 2 unread')
    })

    it('marks nothing when nothing is unread', () => {
      bell(0)
      notifications.watch('p')
      $rootScope.$digest()
      $httpBackend.verifyNoOutstandingRequest()
    })
  })
})
