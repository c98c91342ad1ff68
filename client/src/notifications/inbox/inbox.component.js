import { byDay, wordsOf } from '../notice-words.js'
import './inbox.css'
import template from './inbox.component.html?raw'

const PAGE = 50

class InboxController {
  static $inject = ['notifications', 'pages', 'live', 'clock', 'session', 'toast', '$location']

  constructor(notifications, pages, live, clock, session, toast, $location) {
    Object.assign(this, { notifications, pages, live, clock, session, toast, $location })
    this.count = 0
  }

  $onInit() {
    this.unreadOnly = Boolean(this.$location.search().unread)
    this.load()
    // What is added to one that is unread is told by no event of its own, but by what it is made of.
    const types = ['notification', 'assignment', 'project', 'payout', 'deposit']
    this.off = this.live.on(types, () => this.refresh(), { every: 20, slow: 60, lag: 1500, apart: 1500 })
  }

  $onDestroy() {
    this.off()
  }

  show(unreadOnly) {
    this.unreadOnly = unreadOnly
    this.$location.search({ unread: unreadOnly ? '1' : undefined }).replace()
    this.load()
  }

  load() {
    this.rows = null
    this.problem = null
    return this.fetch((problem) => (this.problem = problem))
  }

  /** A list with further pages open stays as it is: a refetch would fold it up under the reader. */
  refresh() {
    if (this.rows && this.rows.length <= PAGE) this.fetch(() => {})
  }

  fetch(failed) {
    const asked = (this.count += 1)
    const query = { limit: PAGE, unread: this.unreadOnly ? '1' : undefined }
    return this.pages.first('/api/v1/notifications', query).then(
      (rows) => asked === this.count && this.take(rows),
      (problem) => asked === this.count && failed(problem),
    )
  }

  take(rows) {
    this.problem = null
    this.rows = rows
    for (const row of rows) row.words ??= wordsOf(row)
    this.days = byDay(rows, this.clock.now(), this.session.me?.timezone || undefined)
    this.hasUnread = rows.some((row) => !row.read_at)
  }

  more() {
    this.busy = true
    this.pages
      .more(this.rows)
      .then((rows) => this.take(rows), (problem) => this.toast.failed('The rest could not be loaded.', problem))
      .finally(() => (this.busy = false))
  }

  /** All that is shown, and what lies further down. What has come in meanwhile stays unread. */
  readAll() {
    this.reading = true
    this.notifications
      .read({ up_to: this.rows[0].id })
      .then(() => this.mark(this.rows), (problem) => this.toast.failed('They could not be marked as read.', problem))
      .finally(() => (this.reading = false))
  }

  /** Going to the thing is reading it. The page turns without waiting for that. */
  follow(row) {
    if (row.read_at) return
    this.mark([row])
    this.notifications.read({ ids: [row.id] }).catch(() => {})
  }

  mark(rows) {
    const now = new Date(this.clock.now()).toISOString()
    for (const row of rows) row.read_at ??= now
    this.hasUnread = this.rows.some((row) => !row.read_at)
  }
}

/** What the user was told, by day. */
export const ghInbox = { template, controller: InboxController }
