import { liveUrl } from './config.js'
import { LiveSocket } from './live-socket.js'

const DEFAULT_SECONDS = 30
const SLOW_SECONDS = 120
const SETTLE_MS = 2000
const TOGETHER_MS = 400
const TOGETHER_HIDDEN_MS = 15_000
const PAUSED_AFTER_MS = 2000

/**
 * Tells pages that something has happened, so that they fetch it again.
 *
 * `on(type, fn)` calls `fn(event, events)` after events of that type: `assignment.submitted`, all of `assignment`, or a
 * list of either. Several that come within `apart` milliseconds are one call. It is called without an event when nobody knows what
 * happened meanwhile: when the page comes back to the front, after a break, and every so many seconds (`every` without
 * a connection, `slow` with one). With `lag` it is called once more so many milliseconds after the last event, for
 * what is counted a moment later. It returns its off-function. `fn` only fetches: it must be harmless to call it once
 * too often.
 *
 * `state` is `online`, `connecting` or `offline`; `paused` is true when it has not been online for a while though it
 * should. `onFrame(type, fn)` hears frames that are no events (typing, presence); `send(frame)` says whether it could.
 */
export class LiveService {
  static $inject = ['$window', '$interval', '$rootScope', 'session', 'clock', 'readAfter']

  constructor($window, $interval, $rootScope, session, clock, readAfter) {
    Object.assign(this, { $window, $interval, $rootScope, session, clock, readAfter })
    this.listeners = new Set()
    this.frames = new Set()
    this.wokenAt = 0
    this.paused = false
    this.socket = this.makeSocket()
    session.onToken((token) => this.tokenChanged(token))
    const wake = () => this.wake()
    $window.document.addEventListener('visibilitychange', wake)
    $window.addEventListener('focus', wake)
    $window.addEventListener('online', () => {
      this.socket.hurry()
      this.wake()
    })
    $window.addEventListener('offline', () => this.socket.cut())
  }

  get state() {
    return this.socket.state
  }

  on(type, fn, { every = DEFAULT_SECONDS, slow = Math.max(every, SLOW_SECONDS), lag = 0, apart = TOGETHER_MS } = {}) {
    const listener = { types: [type].flat(), fn, lag, apart, events: [], calledAt: 0, polledAt: Date.now() }
    this.listeners.add(listener)
    const timer = this.$interval(() => this.poll(listener, every, slow), every * 1000)
    return () => {
      this.listeners.delete(listener)
      this.$interval.cancel(timer)
      clearTimeout(listener.soon)
      clearTimeout(listener.late)
    }
  }

  onFrame(type, fn) {
    const listener = { type, fn }
    this.frames.add(listener)
    return () => this.frames.delete(listener)
  }

  send(frame) {
    return this.socket.send(frame)
  }

  /** This page itself changed something of that type: let the others know. */
  changed(type) {
    for (const listener of [...this.listeners]) {
      if (listener.types.some((each) => isOf(type, each) || isOf(each, type))) listener.fn()
    }
  }

  // Events

  heard(event) {
    this.readAfter.note(event.read_after)
    for (const listener of this.listeners) {
      if (listener.types.some((each) => isOf(event.event, each))) this.tell(listener, event)
    }
  }

  /** Nobody knows what has happened: everything that is shown is fetched again. */
  missed() {
    for (const listener of this.listeners) this.tell(listener)
  }

  /** Call the listener soon, and not again within a while, however much comes. */
  tell(listener, event) {
    if (event) listener.events.push(event)
    if (event && listener.lag) {
      clearTimeout(listener.late)
      listener.late = setTimeout(() => this.call(listener), listener.lag)
    }
    listener.isDue = true
    if (listener.soon) return
    const apart = this.inFront() ? listener.apart : TOGETHER_HIDDEN_MS
    const wait = Math.max(0, listener.calledAt + apart - Date.now())
    listener.soon = setTimeout(() => this.call(listener), wait)
  }

  call(listener) {
    clearTimeout(listener.soon)
    const { events } = listener
    Object.assign(listener, { soon: null, events: [], calledAt: Date.now(), isDue: false })
    this.$rootScope.$evalAsync(() => listener.fn(events.at(-1), events))
  }

  // Without events

  poll(listener, every, slow) {
    if (!this.inFront()) return
    const seconds = this.state === 'online' ? slow : every
    // The timer ticks every so many seconds, give or take some.
    if (Date.now() - listener.polledAt < seconds * 1000 - SETTLE_MS / 2) return
    listener.polledAt = Date.now()
    listener.fn()
  }

  /** Somebody looks at the page again. Behind a connection only what has waited for this is fetched. */
  wake() {
    if (!this.inFront() || Date.now() - this.wokenAt < SETTLE_MS) return
    this.wokenAt = Date.now()
    const told = this.state === 'online'
    this.socket.hurry()
    for (const listener of [...this.listeners]) if (!told || listener.isDue) this.call(listener)
  }

  inFront() {
    return this.$window.document.visibilityState !== 'hidden'
  }

  // The connection

  makeSocket() {
    return new LiveSocket({
      url: liveUrl(),
      Socket: this.$window.WebSocket,
      token: (fresh) => (fresh ? this.session.refresh().then((tokens) => tokens.access_token) : this.session.accessToken()),
      hears: {
        event: (event) => this.heard(event),
        missed: () => this.missed(),
        frame: (frame) => this.$rootScope.$evalAsync(() => this.frameCame(frame)),
        state: (state) => this.stateChanged(state),
        time: (text, sentAt, receivedAt) => this.clock.sync(text, sentAt, receivedAt),
      },
    })
  }

  frameCame(frame) {
    for (const listener of [...this.frames]) if (listener.type === frame.type) listener.fn(frame)
  }

  tokenChanged(token) {
    if (!token) this.socket.stop()
    else if (this.state === 'online') this.send({ type: 'token', token })
    else this.socket.start()
  }

  stateChanged(state) {
    const pauses = state !== 'online' && this.socket.wanted
    if (!pauses) {
      clearTimeout(this.pausing)
      this.pausing = null
    }
    // A short break is nobody's concern.
    else this.pausing ??= setTimeout(() => this.$rootScope.$evalAsync(() => (this.paused = true)), PAUSED_AFTER_MS)
    this.$rootScope.$evalAsync(() => (this.paused &&= pauses))
  }
}

/** Whether an event of `type` is one of `wanted`: that type itself, or all of its noun. */
function isOf(type, wanted) {
  return type === wanted || type.startsWith(`${wanted}.`)
}
