import angular from 'angular'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import '../messages.module.js'

const T1 = '/api/v1/threads/t1'
const MESSAGES = `${T1}/messages`
const UNREAD = '/api/v1/threads/unread'

const thread = (more = {}) => ({
  id: 't1', kind: 'talk', about: { kind: 'assignment', id: 'a1' }, project: 'p1', title: 'Task 1 of Ducks', collective: { id: 'c1', name: 'Duck Lab' },
  worker: 'K7Q2', side: 'worker', messages: 1, read: 1, unread: 0, muted: false, blocked: false, blocked_by_me: false, can_write: true, newest: null, ...more,
})
const message = (number, more = {}) => ({
  id: `m${number}`, thread: 't1', number, at: new Date().toISOString(), body: `Text ${number}`, html: `<p>Text ${number}</p>`, links: [], hidden: false,
  author: { name: 'Ana', collective: 'Duck Lab', side: 'collective', mine: false }, ...more,
})

describe('a conversation', () => {
  let $httpBackend, $rootScope, $compile, live, host, scope

  beforeEach(() => {
    sessionStorage.clear()
    angular.mock.module('guildhall.messages')
    angular.mock.inject((_$httpBackend_, _$rootScope_, _$compile_, _live_, session) => {
      ;[$httpBackend, $rootScope, $compile, live] = [_$httpBackend_, _$rootScope_, _$compile_, _live_]
      session.settling = Promise.resolve()
    })
    $httpBackend.whenGET(UNREAD).respond({ threads: 0, messages: 0 })
  })

  afterEach(() => {
    $httpBackend.verifyNoOutstandingExpectation(false)
    host?.remove()
    scope?.$destroy()
  })

  function open(bindings, rows) {
    if (rows) $httpBackend.expectGET(MESSAGES).respond(200, rows)
    scope = Object.assign($rootScope.$new(), { opened: vi.fn(), changed: vi.fn(), ...bindings })
    host = $compile('<gh-thread thread="thread" about="about" to="to" on-opened="opened({thread: thread})" on-changed="changed()"></gh-thread>')(scope)[0]
    document.body.append(host)
    $rootScope.$digest()
    if (rows) $httpBackend.flush()
  }

  const texts = () => [...host.querySelectorAll('.message')].map((each) => each.textContent.replace(/\s+/g, ' '))
  const box = () => host.querySelector('textarea')
  function write(text) {
    box().value = text
    box().dispatchEvent(new Event('input'))
    box().dispatchEvent(new Event('change'))
    $rootScope.$digest()
  }
  function press(words) {
    ;[...host.querySelectorAll('button')].find((each) => each.textContent.includes(words)).click()
    $rootScope.$digest()
  }

  it('stands with the oldest on top, says who wrote for whom, and is read by being shown', () => {
    $httpBackend.expectGET(MESSAGES).respond(200, [message(2), message(1)])
    $httpBackend.expectPOST(`${T1}/read`, { up_to: 2 }).respond(thread({ read: 2, messages: 2 }))
    open({ thread: thread({ messages: 2, unread: 1 }) })
    $httpBackend.flush()
    expect(texts()[0]).toContain('Ana, for Duck Lab')
    expect(texts().map((each) => /Text \d/.exec(each)[0])).toEqual(['Text 1', 'Text 2'])
  })

  it('shows what is on its way, and once when it has arrived', () => {
    open({ thread: thread() }, [message(1)])
    write('Hello **you**')
    $httpBackend.expectPOST(MESSAGES, { body: 'Hello **you**' }).respond(201, message(2, { author: { name: 'W', collective: '', side: 'worker', mine: true } }))
    $httpBackend.whenGET(MESSAGES).respond([message(2), message(1)])
    $httpBackend.whenPOST(`${T1}/read`).respond(thread({ read: 2 }))
    press('Send')
    expect(texts()[1]).toContain('Sending…')
    expect(box().value).toBe('')
    $httpBackend.flush()
    expect(texts().length).toBe(2)
    expect(texts()[1]).not.toContain('Sending')
  })

  it('keeps what was not sent, says why, and sends it again with its key', () => {
    open({ thread: thread() }, [message(1)])
    write('Hello')
    const keys = []
    const answer = (status, body) => (method, url, data, headers) => {
      keys.push(headers['Idempotency-Key'])
      return [status, body]
    }
    $httpBackend.expectPOST(MESSAGES).respond(answer(500, { detail: 'Broken.' }))
    press('Send')
    $httpBackend.flush()
    expect(texts()[1]).toContain('Not sent')
    expect(texts()[1]).toContain('Broken.')
    $httpBackend.expectPOST(MESSAGES).respond(answer(201, message(2)))
    $httpBackend.whenGET(MESSAGES).respond([message(2), message(1)])
    $httpBackend.whenPOST(`${T1}/read`).respond(thread())
    press('Try again')
    $httpBackend.flush()
    expect(keys[0]).toBeTruthy()
    expect(keys[1]).toBe(keys[0])
    expect(texts().length).toBe(2)
  })

  it('is begun by its first message', () => {
    open({ about: { kind: 'assignment', id: 'a1' }, to: 'K7Q2' })
    write('Thank you')
    $httpBackend.expectPOST('/api/v1/threads', { about: { kind: 'assignment', id: 'a1' }, body: 'Thank you', to: 'K7Q2' }).respond(201, { thread: thread({ side: 'collective' }), message: message(1) })
    $httpBackend.whenGET(MESSAGES).respond([message(1)])
    $httpBackend.whenPOST(`${T1}/read`).respond(thread({ side: 'collective' }))
    press('Send')
    $httpBackend.flush()
    expect(scope.opened).toHaveBeenCalled()
    expect(texts().length).toBe(1)
  })

  it('is fetched again when a message comes, and not for those of others', () => {
    open({ thread: thread() }, [message(1)])
    const other = { event: 'message.sent', subject: 'other', data: {} }
    for (const listener of live.listeners) listener.fn(other, [other])
    $rootScope.$digest()
    $httpBackend.verifyNoOutstandingRequest(false)
    $httpBackend.expectGET(MESSAGES).respond([message(2), message(1)])
    $httpBackend.whenPOST(`${T1}/read`).respond(thread({ read: 2 }))
    live.changed('message')
    $httpBackend.flush()
    expect(texts().length).toBe(2)
  })

  it('says who is typing and who is there', () => {
    open({ thread: thread() }, [message(1)])
    live.frameCame({ type: 'typing', thread: 't1', name: 'Ana' })
    live.frameCame({ type: 'presence', thread: 't1', online: true })
    $rootScope.$digest()
    expect(host.querySelector('.thread-typing').textContent).toBe('Ana is typing…')
    expect(host.querySelector('.online')).not.toBe(null)
    live.frameCame({ type: 'typing', thread: 'other', name: 'Eve' })
    $rootScope.$digest()
    expect(host.querySelector('.thread-typing').textContent).toBe('Ana is typing…')
  })

  it('says that it could not be loaded, and loads again', () => {
    $httpBackend.expectGET(MESSAGES).respond(400, { detail: 'The test has broken this.' })
    open({ thread: thread() })
    $httpBackend.flush()
    expect(host.querySelector('[role=alert]').textContent).toContain('The test has broken this.')
    $httpBackend.expectGET(MESSAGES).respond([message(1)])
    press('Try again')
    $httpBackend.flush()
    expect(texts().length).toBe(1)
    expect(host.querySelector('[role=alert]')).toBe(null)
  })

  it('says why one cannot write', () => {
    open({ thread: thread({ can_write: false, blocked: true }) }, [message(1)])
    expect(box()).toBe(null)
    expect(host.textContent).toContain('They take no messages from you.')
  })

  it('shows the links with where they lead, and nothing of what was hidden', () => {
    open({ thread: thread({ messages: 2, read: 2 }) }, [message(2, { hidden: true, html: '', body: '' }), message(1, { links: [{ url: 'https://x.example.org/a.pdf', label: 'Guide', host: 'x.example.org' }] })])
    expect(texts()[0]).toContain('Guide x.example.org')
    expect(texts()[1]).toContain('hidden')
  })
})
