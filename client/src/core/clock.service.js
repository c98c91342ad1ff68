/**
 * The server's time, as well as it can be told from its answers.
 *
 * An answer's time lies between sending and receiving; the shorter that span, the better the estimate, so a worse one
 * replaces a better one only after ten minutes (the machine's own clock may have been set meanwhile).
 */
export class ClockService {
  constructor() {
    this.offset = 0
    this.error = Infinity
    this.syncedAt = 0
  }

  /** Milliseconds since 1970 by the server's clock. */
  now() {
    return Date.now() + this.offset
  }

  sync(serverTime, sentAt, receivedAt) {
    const server = Date.parse(serverTime)
    if (Number.isNaN(server)) return
    const error = (receivedAt - sentAt) / 2
    const old = receivedAt - this.syncedAt > 600_000
    const disagrees = Math.abs(server - (sentAt + receivedAt) / 2 - this.offset) > error + this.error
    if (error > this.error && !old && !disagrees) return
    this.offset = server - (sentAt + receivedAt) / 2
    this.error = error
    this.syncedAt = receivedAt
  }

  /** Seconds from now (server time) to an instant; negative when it has passed. */
  secondsTo(instant) {
    return (Date.parse(instant) - this.now()) / 1000
  }
}
