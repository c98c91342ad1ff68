const DEFAULT_SECONDS = 30
const SETTLE_MS = 2000

/**
 * Tells pages that something may have changed, so that they fetch it again.
 *
 * `on(type, fn)` calls `fn` when the page comes back to the front and, while it is in front, every `every` seconds.
 * It returns its off-function. `fn` only fetches: it must be harmless to call it once too often.
 */
export class LiveService {
  static $inject = ['$window', '$interval']

  constructor($window, $interval) {
    Object.assign(this, { $window, $interval })
    this.listeners = new Set()
    this.wokenAt = 0
    const wake = () => this.wake()
    $window.document.addEventListener('visibilitychange', wake)
    $window.addEventListener('focus', wake)
    $window.addEventListener('online', wake)
  }

  on(type, fn, { every = DEFAULT_SECONDS } = {}) {
    const listener = { type, fn }
    this.listeners.add(listener)
    const timer = this.$interval(() => this.inFront() && fn(), every * 1000)
    return () => {
      this.listeners.delete(listener)
      this.$interval.cancel(timer)
    }
  }

  /** This page itself changed something of that type: let the others know. */
  changed(type) {
    for (const listener of [...this.listeners]) if (listener.type === type) listener.fn()
  }

  wake() {
    if (!this.inFront() || Date.now() - this.wokenAt < SETTLE_MS) return
    this.wokenAt = Date.now()
    for (const listener of [...this.listeners]) listener.fn()
  }

  inFront() {
    return this.$window.document.visibilityState !== 'hidden'
  }
}
