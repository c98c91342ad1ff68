const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000
const STEADY_MS = 10_000
const OPEN_WITHIN_MS = 10_000
const QUIET_MS = 45_000
const PONG_WITHIN_MS = 10_000
const REMEMBERED = 500
// The gateway has said no, and will say so again: bad frame, foreign origin, too many sockets.
const REFUSALS = new Set([4400, 4403, 4409])
const UNAUTHORISED = 4401
const GOING_AWAY = 1001

/**
 * One connection to the gateway: says who is here, gets events, and comes back by itself where it was.
 *
 * `state` is `offline`, `connecting` or `online`. Every event is told once, in the order the gateway sent them, also
 * across connections: the last one's id is what the next connection goes on from, and ids told before are dropped.
 * `hears` is told of what comes: `event(event)`, `missed()` (what happened is not known: fetch all that is shown),
 * `frame(frame)` for all else, `state(state)`, `time(text, sentAt, receivedAt)`.
 */
export class LiveSocket {
  /** `token(fresh)` resolves with an access token, a new one if `fresh`, or with null when nobody is signed in. */
  constructor({ url, token, hears, Socket = WebSocket, random = Math.random }) {
    Object.assign(this, { url, token, hears, Socket, random })
    this.state = 'offline'
    this.wanted = false
    this.tries = 0
    this.after = null
    this.seen = new Set()
  }

  start() {
    if (this.wanted) return
    this.wanted = true
    this.connect()
  }

  /** For good, or until `start`: who was here is gone, and so is what they have heard. */
  stop() {
    this.wanted = false
    this.drop()
    this.after = null
    this.seen.clear()
    this.tries = 0
    this.become('offline')
  }

  /** Try at once, since there is reason to hope: the network is back, or somebody looks at the page. */
  hurry() {
    if (!this.wanted) return
    if (this.state === 'online') this.ask(PONG_WITHIN_MS)
    else if (!this.socket) this.connect()
  }

  /** The network is gone: what is open is not, whatever it says. */
  cut() {
    if (!this.wanted) return
    this.drop()
    this.become('offline')
    this.later(this.wait())
  }

  /** Whether it was sent. */
  send(frame) {
    if (this.state !== 'online') return false
    this.socket.send(JSON.stringify(frame))
    return true
  }

  async connect() {
    clearTimeout(this.retry)
    this.drop()
    const attempt = (this.attempt = {})
    this.become('connecting')
    const token = await this.token(this.needsFresh).catch(() => null)
    if (attempt !== this.attempt || !this.wanted) return
    if (!token) return this.failed()
    this.needsFresh = false
    const socket = this.open()
    if (!socket) return this.failed()
    this.watch(OPEN_WITHIN_MS)
    socket.onopen = () => {
      this.sentAt = Date.now()
      this.asked = this.after
      socket.send(JSON.stringify({ type: 'hello', token, after: this.after }))
    }
    socket.onmessage = ({ data }) => this.heard(JSON.parse(data))
    socket.onclose = ({ code }) => socket === this.socket && this.closed(code)
  }

  /** The browser may refuse an address by itself, such as an open one from a page that came encrypted. */
  open() {
    try {
      this.socket = new this.Socket(this.url)
    } catch {
      this.tries = Infinity
    }
    return this.socket
  }

  heard(frame) {
    this.watch(QUIET_MS)
    if (frame.type === 'event') this.event(frame)
    else if (frame.type === 'ready') this.ready(frame)
    else if (frame.type === 'reload') {
      this.after = null
      this.hears.missed()
    } else if (frame.type === 'pong') this.after = frame.after ?? this.after
    else this.hears.frame(frame)
  }

  ready(frame) {
    this.readyAt = Date.now()
    if (frame.server_time) this.hears.time(frame.server_time, this.sentAt, this.readyAt)
    this.become('online')
    // Where nothing was known, what has happened until now may be missing from the page.
    if (this.asked === null || this.after === null) this.hears.missed()
    this.after ??= frame.after
  }

  event(event) {
    this.after = event.id
    if (this.seen.has(event.id)) return
    this.seen.add(event.id)
    if (this.seen.size > REMEMBERED) this.seen.delete(this.seen.values().next().value)
    this.hears.event(event)
  }

  closed(code) {
    // A connection that held for a while was a good one: the next loss begins the waiting anew.
    if (this.state === 'online' && Date.now() - this.readyAt > STEADY_MS) this.tries = 0
    this.drop()
    this.needsFresh = code === UNAUTHORISED
    if (REFUSALS.has(code)) this.tries = Infinity
    // A gateway that is being replaced sends everybody away at once; they come back over two seconds.
    else if (code === GOING_AWAY) return this.failed(2000 * this.random())
    this.failed()
  }

  failed(wait = this.wait()) {
    this.become('offline')
    this.later(wait)
  }

  later(wait) {
    clearTimeout(this.retry)
    this.retry = setTimeout(() => this.connect(), wait)
  }

  /** Milliseconds, twice as many each time, half of it by chance. */
  wait() {
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.tries)
    this.tries = Math.min(this.tries + 1, 10)
    return longest * (0.5 + this.random() / 2)
  }

  /** Close what has been silent for so long. A connection may be dead without a sign of it. */
  watch(within) {
    clearTimeout(this.silence)
    const { socket } = this
    this.silence = setTimeout(() => {
      if (within === QUIET_MS) this.ask(PONG_WITHIN_MS)
      else if (socket === this.socket) this.closed(0)
    }, within)
  }

  ask(within) {
    if (this.send({ type: 'ping' })) this.watch(within)
  }

  drop() {
    clearTimeout(this.retry)
    clearTimeout(this.silence)
    this.attempt = null
    const { socket } = this
    this.socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }

  become(state) {
    if (state === this.state) return
    this.state = state
    this.hears.state(state)
  }
}
