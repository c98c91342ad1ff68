import angular from 'angular'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import './core.module.js'
import { LiveService } from './live.service.js'

const event = (type, id = 1) => ({ type: 'event', id, event: type, subject: 's', data: {}, read_after: `after-${id}` })

describe('live', () => {
  let live
  let root
  let visibility
  let note
  let told
  let $interval
  let handlers

  beforeEach(() => {
    vi.useFakeTimers()
    visibility = 'visible'
    note = vi.fn()
    handlers = {}
    told = { token: null }
    const $window = {
      document: {
        get visibilityState() {
          return visibility
        },
        addEventListener: (name, fn) => (handlers[name] = fn),
      },
      addEventListener: (name, fn) => (handlers[name] = fn),
      WebSocket: class {
        constructor() {
          told.socket = this
          told.sent = []
        }
        send(text) {
          told.sent.push(JSON.parse(text))
        }
        close() {}
      },
    }
    const session = {
      onToken: (fn) => (told.token = fn),
      accessToken: async () => 'token-1',
      refresh: async () => ({ access_token: 'token-2' }),
    }
    angular.mock.module('guildhall.core')
    angular.mock.inject((_$interval_, $rootScope) => {
      $interval = _$interval_
      root = $rootScope
      live = new LiveService($window, $interval, $rootScope, session, { sync: vi.fn() }, { note })
    })
  })

  afterEach(() => {
    told.token(null)
    vi.useRealTimers()
  })

  async function after(milliseconds) {
    await vi.advanceTimersByTimeAsync(milliseconds)
    root.$digest()
  }

  async function connect() {
    told.token('token-1')
    await after(0)
    told.socket.onopen()
    say({ type: 'ready', after: 0 })
    await after(500)
  }

  const say = (frame) => told.socket.onmessage({ data: JSON.stringify(frame) })

  it('calls those who listen to the type, to its noun, or to it among others', async () => {
    const [exact, noun, list, other, prefix] = Array.from({ length: 5 }, () => vi.fn())
    live.on('assignment.accepted', exact)
    live.on('assignment', noun)
    live.on(['purse', 'assignment'], list)
    live.on('project', other)
    live.on('assign', prefix)
    await connect()
    for (const fn of [exact, noun, list, other, prefix]) fn.mockClear()
    say(event('assignment.accepted'))
    await after(500)
    for (const fn of [exact, noun, list]) {
      expect(fn).toHaveBeenCalledOnce()
      expect(fn.mock.calls[0][0].event).toBe('assignment.accepted')
    }
    expect(other).not.toHaveBeenCalled()
    expect(prefix).not.toHaveBeenCalled()
  })

  it('makes few calls of many events, and loses none of them', async () => {
    const fn = vi.fn()
    live.on('assignment', fn)
    await connect()
    fn.mockClear()
    for (let id = 1; id <= 200; id += 1) {
      say(event('assignment.submitted', id))
      await after(10)
    }
    await after(1000)
    // Two seconds: 400 ms lie between two calls.
    expect(fn.mock.calls.length).toBeGreaterThan(3)
    expect(fn.mock.calls.length).toBeLessThan(8)
    expect(fn.mock.calls.flatMap(([, events]) => events.map((each) => each.id))).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 1),
    )
  })

  it('leaves a listener alone for as long as it asks', async () => {
    const fn = vi.fn()
    live.on('assignment', fn, { apart: 3000 })
    await connect()
    fn.mockClear()
    for (let id = 1; id <= 60; id += 1) {
      say(event('assignment.submitted', id))
      await after(100)
    }
    await after(3000)
    expect(fn.mock.calls.length).toBeGreaterThan(1)
    expect(fn.mock.calls.length).toBeLessThan(4)
  })

  it('remembers the position of each event before anybody fetches', async () => {
    const order = []
    note.mockImplementation((text) => order.push(text))
    live.on('assignment', () => order.push('fetched'))
    await connect()
    order.length = 0
    say(event('assignment.accepted', 7))
    await after(500)
    expect(order).toEqual(['after-7', 'fetched'])
  })

  it('calls once more for what is counted a moment later', async () => {
    const fn = vi.fn()
    live.on('assignment', fn, { lag: 1200 })
    await connect()
    fn.mockClear()
    say(event('assignment.accepted', 1))
    await after(400)
    expect(fn).toHaveBeenCalledTimes(1)
    await after(1000)
    expect(fn).toHaveBeenCalledTimes(2)
    await after(5000)
    expect(fn).toHaveBeenCalledTimes(2)
  })

  it('asks seldom with a connection and often without', async () => {
    const fn = vi.fn()
    live.on('assignment', fn, { every: 5, slow: 30 })
    const pass = async (seconds) => {
      for (let n = 0; n < seconds; n += 5) {
        await after(5000)
        $interval.flush(5000)
      }
    }
    await pass(30)
    expect(fn).toHaveBeenCalledTimes(6)
    await connect()
    fn.mockClear()
    await pass(60)
    expect(fn.mock.calls.length).toBeGreaterThan(0)
    expect(fn.mock.calls.length).toBeLessThan(4)
  })

  it('is quiet behind another tab, and catches up when it is looked at', async () => {
    const [busy, calm] = [vi.fn(), vi.fn()]
    live.on('assignment', busy)
    live.on('project', calm)
    await connect()
    visibility = 'hidden'
    busy.mockClear()
    calm.mockClear()
    for (let id = 1; id <= 50; id += 1) {
      say(event('assignment.submitted', id))
      await after(100)
    }
    expect(busy.mock.calls.length).toBeLessThan(2)
    visibility = 'visible'
    handlers.visibilitychange()
    await after(0)
    expect(busy.mock.calls.at(-1)[0].id).toBe(50)
    expect(calm).not.toHaveBeenCalled()
  })

  it('fetches all on a return to the page while there is no connection', async () => {
    const fn = vi.fn()
    live.on('assignment', fn)
    handlers.focus()
    await after(0)
    expect(fn).toHaveBeenCalledOnce()
  })

  it('says that it pauses only after a while, and stops saying so at once', async () => {
    await connect()
    told.socket.onclose({ code: 1006 })
    await after(1000)
    expect(live.paused).toBe(false)
    await after(1500)
    expect(live.paused).toBe(true)
    await after(10_000)
    told.socket.onopen()
    say({ type: 'ready', after: 0 })
    root.$digest()
    expect(live.paused).toBe(false)
  })

  it('hands on a refreshed token, and ends with the session', async () => {
    await connect()
    told.token('token-2')
    expect(told.sent.at(-1)).toEqual({ type: 'token', token: 'token-2' })
    told.token(null)
    await after(10_000)
    expect([live.state, live.paused]).toEqual(['offline', false])
  })

  it('hears frames that are no events', async () => {
    const fn = vi.fn()
    const off = live.onFrame('typing', fn)
    await connect()
    say({ type: 'typing', thread: 't', name: 'Ana' })
    root.$digest()
    off()
    say({ type: 'typing', thread: 't', name: 'Ana' })
    root.$digest()
    expect(fn.mock.calls).toEqual([[{ type: 'typing', thread: 't', name: 'Ana' }]])
  })

  it('stops calling who has left', async () => {
    const fn = vi.fn()
    const off = live.on('assignment', fn, { lag: 1000 })
    await connect()
    fn.mockClear()
    say(event('assignment.accepted'))
    off()
    await after(5000)
    expect(fn).not.toHaveBeenCalled()
  })

  it('lets others on the page know of its own changes', () => {
    const [noun, exact, other] = [vi.fn(), vi.fn(), vi.fn()]
    live.on('assignment', noun)
    live.on('assignment.accepted', exact)
    live.on('project', other)
    live.changed('assignment')
    expect([noun, exact, other].map((fn) => fn.mock.calls.length)).toEqual([1, 1, 0])
  })
})
