const EVERY_SECONDS = 60

/**
 * How much the user was told and has not read, in one place for the bell and the pages.
 *
 * `watch(subject)`: the user is looking at that thing, so what is told about it counts as read as long as they do.
 */
export class NotificationsService {
  static $inject = ['$http', 'live']

  constructor($http, live) {
    Object.assign(this, { $http, live, unread: 0, counted: null })
    this.watched = new Map()
  }

  /** Keep the count up to date; returns the off-function. */
  follow() {
    this.counted = this.load()
    return this.live.on('notification', (event, events = []) => this.happened(events), { every: EVERY_SECONDS })
  }

  happened(events) {
    const seen = events.map((event) => event.data.about).filter((subject) => this.watched.has(subject))
    if (!seen.length || !this.live.inFront()) return this.load()
    for (const subject of new Set(seen)) this.readSubject(subject)
    return undefined
  }

  load() {
    // The bell is an aside: when this fails it shows what it knew.
    return this.$http.get('/api/v1/notifications/unread').then(({ data }) => this.take(data), () => {})
  }

  take({ count }) {
    this.unread = count
  }

  /** Mark as read: `{ up_to }`, `{ ids }` or `{ subject }`. */
  read(which) {
    return this.$http.post('/api/v1/notifications/read', which).then(({ data }) => this.take(data))
  }

  readSubject(subject) {
    return this.read({ subject }).catch(() => {})
  }

  watch(subject) {
    this.watched.set(subject, (this.watched.get(subject) ?? 0) + 1)
    this.counted?.then(() => this.unread && this.watched.has(subject) && this.readSubject(subject))
    return () => {
      const left = this.watched.get(subject) - 1
      if (left) this.watched.set(subject, left)
      else this.watched.delete(subject)
    }
  }
}
