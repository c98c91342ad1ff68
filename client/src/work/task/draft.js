const WAIT_MS = 800
const RETRY_MS = 5000

/**
 * Keeps what the worker has typed on the server, one save at a time, the newest last.
 *
 * `state` is `clean`, `waiting`, `saving`, `saved` or `failed`; `savedAt` is by the local clock, in ms. A copy stays in
 * `storage` until the server has it, so that a reload without a connection loses nothing either.
 */
export class Draft {
  constructor({ id, save, $timeout, storage, now = Date.now }) {
    Object.assign(this, { id, save, $timeout, storage, now })
    this.state = 'clean'
    this.savedAt = null
    this.problem = null
    this.pending = null
    this.closed = false
  }

  get storageKey() {
    return `guildhall.draft.${this.id}`
  }

  /** What an earlier page could not save any more, or null. */
  rescued() {
    try {
      return JSON.parse(this.storage.getItem(this.storageKey))
    } catch {
      return null
    }
  }

  change(answer) {
    if (this.closed) return
    this.pending = answer
    this.storage.setItem(this.storageKey, JSON.stringify(answer))
    if (this.state !== 'saving') {
      this.state = 'waiting'
      this.later(WAIT_MS)
    }
  }

  /** Save now what has not been saved yet. */
  flush() {
    this.$timeout.cancel(this.timer)
    if (this.pending === null || this.state === 'saving' || this.closed) return
    const sent = this.pending
    this.pending = null
    this.state = 'saving'
    this.save(sent).then(
      () => this.done(),
      (problem) => this.failed(sent, problem),
    )
  }

  /** Hold the next save back while the answer itself is on its way. */
  pause() {
    this.$timeout.cancel(this.timer)
  }

  resume() {
    if (this.pending !== null && !this.closed && this.state !== 'saving') this.later(0)
  }

  /** No more saves: the answer was handed in, or given back. */
  close() {
    this.closed = true
    this.$timeout.cancel(this.timer)
    this.storage.removeItem(this.storageKey)
  }

  done() {
    this.savedAt = this.now()
    this.problem = null
    if (this.closed) return
    if (this.pending !== null) {
      this.state = 'waiting'
      this.later(WAIT_MS)
    } else {
      this.state = 'saved'
      this.storage.removeItem(this.storageKey)
    }
  }

  failed(sent, problem) {
    this.problem = problem
    this.state = 'failed'
    // Something newer may have been typed meanwhile; only that is worth sending.
    this.pending ??= sent
    const final = problem.status >= 400 && problem.status < 500 && problem.status !== 429
    if (!final && !this.closed) this.later(RETRY_MS)
  }

  later(wait) {
    this.$timeout.cancel(this.timer)
    this.timer = this.$timeout(() => this.flush(), wait)
  }
}
