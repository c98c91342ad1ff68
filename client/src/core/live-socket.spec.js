import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LiveSocket } from './live-socket.js'

/** A gateway as small as can be: what it was sent, and what it says. */
class FakeSocket {
  static all = []

  constructor(url) {
    Object.assign(this, { url, sent: [], closed: false })
    FakeSocket.all.push(this)
  }

  send(text) {
    this.sent.push(JSON.parse(text))
  }

  close() {
    this.closed = true
  }

  open() {
    this.onopen?.()
  }

  say(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) })
  }

  end(code) {
    this.onclose?.({ code })
  }
}

const last = () => FakeSocket.all.at(-1)
const event = (id, type = 'assignment.accepted') => ({ type: 'event', id, event: type, subject: 's', data: {}, read_after: '' })

describe('live socket', () => {
  let heard
  let tokens
  let socket

  beforeEach(() => {
    vi.useFakeTimers()
    FakeSocket.all = []
    heard = { events: [], states: [], frames: [], missed: 0, times: [] }
    tokens = vi.fn(async () => 'token-1')
    socket = new LiveSocket({
      url: 'ws://gateway/ws',
      token: tokens,
      Socket: FakeSocket,
      random: () => 0.5,
      hears: {
        event: (each) => heard.events.push(each.id),
        missed: () => (heard.missed += 1),
        frame: (frame) => heard.frames.push(frame),
        state: (state) => heard.states.push(state),
        time: (...all) => heard.times.push(all),
      },
    })
  })

  afterEach(() => {
    socket.stop()
    vi.useRealTimers()
  })

  const settle = () => vi.advanceTimersByTimeAsync(0)

  async function connected(after = 100) {
    socket.start()
    await settle()
    last().open()
    last().say({ type: 'ready', after, server_time: '2026-01-01T00:00:00Z', session: 'x' })
  }

  async function lost(code = 1006) {
    last().end(code)
    await vi.advanceTimersByTimeAsync(500)
  }

  it('says who is here, and is online once the gateway is ready', async () => {
    await connected()
    expect(last().url).toBe('ws://gateway/ws')
    expect(last().sent).toEqual([{ type: 'hello', token: 'token-1', after: null }])
    expect(heard.states).toEqual(['connecting', 'online'])
    expect(heard.times[0][0]).toBe('2026-01-01T00:00:00Z')
    expect(heard.missed).toBe(1)
  })

  it('goes on from the last event, and tells none twice', async () => {
    await connected()
    for (const id of [101, 103, 102]) last().say(event(id))
    await lost()
    last().open()
    expect(last().sent[0].after).toBe(102)
    last().say({ type: 'ready', after: 105 })
    for (const id of [103, 102, 104, 105]) last().say(event(id))
    expect(heard.events).toEqual([101, 103, 102, 104, 105])
    expect(heard.missed).toBe(1)
  })

  it('goes on from where it asked when a connection breaks before what is missing came', async () => {
    await connected(100)
    last().say(event(101))
    await lost()
    last().open()
    last().say({ type: 'ready', after: 180 })
    await lost()
    await vi.advanceTimersByTimeAsync(1000)
    last().open()
    expect(last().sent[0].after).toBe(101)
  })

  it('goes on from what a pong names, for all before it has come', async () => {
    await connected()
    last().say({ type: 'pong', after: 250 })
    await lost()
    last().open()
    expect(last().sent[0].after).toBe(250)
  })

  it('has everything fetched again when the gateway cannot tell what was missed, and after being cut off', async () => {
    await connected()
    last().say(event(101))
    last().say({ type: 'reload' })
    expect(heard.missed).toBe(2)
    await lost(4408)
    last().open()
    expect(last().sent[0].after).toBe(null)
    last().say({ type: 'ready', after: 900 })
    expect(heard.missed).toBe(3)
  })

  it('comes back after growing pauses, and begins anew after a connection that held', async () => {
    socket.start()
    const pauses = []
    for (let n = 0; n < 9; n += 1) {
      await settle()
      const before = FakeSocket.all.length
      last().end(1006)
      let waited = 0
      while (FakeSocket.all.length === before) {
        await vi.advanceTimersByTimeAsync(125)
        waited += 125
      }
      pauses.push(waited)
    }
    expect(pauses).toEqual([375, 750, 1500, 3000, 6000, 12_000, 22_500, 22_500, 22_500])
    last().open()
    last().say({ type: 'ready', after: 1 })
    await vi.advanceTimersByTimeAsync(11_000)
    const before = FakeSocket.all.length
    await lost()
    expect(FakeSocket.all.length).toBe(before + 1)
  })

  it('gets a new token when the gateway does not take the old one', async () => {
    await connected()
    await lost(4401)
    expect(tokens.mock.calls).toEqual([[undefined], [true]])
    last().open()
    last().say({ type: 'ready', after: 1 })
    await lost()
    await vi.advanceTimersByTimeAsync(500)
    expect(tokens.mock.calls.length).toBe(3)
    expect(tokens.mock.calls.at(-1)).toEqual([false])
  })

  it.each([4400, 4403, 4409])('leaves a gateway that refuses it (%i) alone for long', async (code) => {
    await connected()
    last().end(code)
    await vi.advanceTimersByTimeAsync(14_000)
    expect(FakeSocket.all.length).toBe(1)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(FakeSocket.all.length).toBe(2)
  })

  it('notices a connection that is dead without a sign', async () => {
    await connected()
    await vi.advanceTimersByTimeAsync(45_000)
    expect(last().sent.at(-1)).toEqual({ type: 'ping' })
    last().say({ type: 'pong' })
    await vi.advanceTimersByTimeAsync(45_000)
    expect(socket.state).toBe('online')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(FakeSocket.all[0].closed).toBe(true)
    expect(socket.state).toBe('offline')
    await vi.advanceTimersByTimeAsync(1000)
    expect(FakeSocket.all.length).toBe(2)
  })

  it('gives up an address that does not answer, and tries again', async () => {
    socket.start()
    await settle()
    await vi.advanceTimersByTimeAsync(11_000)
    expect(FakeSocket.all[0].closed).toBe(true)
    expect(FakeSocket.all.length).toBe(2)
  })

  it('hurries when the network is back, and drops what is open when it is gone', async () => {
    await connected()
    socket.cut()
    expect(socket.state).toBe('offline')
    socket.hurry()
    await settle()
    expect(FakeSocket.all.length).toBe(2)
  })

  it('forgets who was here when it is stopped', async () => {
    await connected()
    last().say(event(101))
    socket.stop()
    expect(last().closed).toBe(true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(FakeSocket.all.length).toBe(1)
    socket.start()
    await settle()
    last().open()
    expect(last().sent[0].after).toBe(null)
  })

  it('is not started by a token that comes after it was stopped', async () => {
    let give
    tokens.mockReturnValueOnce(new Promise((resolve) => (give = resolve)))
    socket.start()
    socket.stop()
    give('late')
    await settle()
    expect(FakeSocket.all.length).toBe(0)
  })

  it('sends only while it is online', async () => {
    expect(socket.send({ type: 'typing' })).toBe(false)
    await connected()
    expect(socket.send({ type: 'typing', thread: 't' })).toBe(true)
    expect(last().sent.at(-1)).toEqual({ type: 'typing', thread: 't' })
    last().say({ type: 'typing', thread: 't', name: 'Ana' })
    expect(heard.frames).toEqual([{ type: 'typing', thread: 't', name: 'Ana' }])
  })
})
