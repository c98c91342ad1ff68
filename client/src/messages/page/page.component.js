import { authorWords, otherSide } from '../thread-words.js'
import './page.css'
import template from './page.component.html?raw'

const PAGE = 50

class MessagesPageController {
  static $inject = ['messages', 'pages', 'live', 'toast', '$routeParams', '$location']

  constructor(messages, pages, live, toast, $routeParams, $location) {
    Object.assign(this, { messages, pages, live, toast, $location, id: $routeParams.id, lookedFor: Number($routeParams.message) || null })
    this.asked = 0
  }

  $onInit() {
    const { q, unread } = this.$location.search()
    Object.assign(this, { q: q ?? '', unreadOnly: Boolean(unread) })
    this.off = this.live.on(['message', 'thread'], () => this.refresh(), { every: 30 })
    this.load()
    if (this.q) this.search()
    if (this.id) this.open()
  }

  $onDestroy() {
    this.off()
  }

  open() {
    this.threadProblem = null
    return this.messages.thread(this.id).then((thread) => (this.thread = thread), (problem) => (this.threadProblem = problem))
  }

  show(unreadOnly) {
    this.unreadOnly = unreadOnly
    this.load()
  }

  load() {
    // The address of each conversation makes the page anew; the list beside it need not blink.
    Object.assign(this, { rows: this.unreadOnly ? null : this.messages.listed, problem: null })
    return this.fetch((problem) => (this.problem = problem))
  }

  /** A list with further pages open stays as it is: a refetch would fold it up under the reader. */
  refresh() {
    if (this.rows && this.rows.length <= PAGE) this.fetch(() => {})
  }

  fetch(failed) {
    const asked = (this.asked += 1)
    return this.messages.threads({ limit: PAGE, unread: this.unreadOnly ? '1' : undefined }).then(
      (rows) => asked === this.asked && this.take(rows),
      (problem) => asked === this.asked && failed(problem),
    )
  }

  take(rows) {
    for (const row of rows) row.other ??= otherSide(row)
    Object.assign(this, { rows, problem: null })
    if (!this.unreadOnly) this.messages.listed = rows
  }

  more() {
    this.busy = true
    this.pages
      .more(this.rows)
      .then((rows) => this.take(rows), (problem) => this.toast.failed('The rest could not be loaded.', problem))
      .finally(() => (this.busy = false))
  }

  changed(thread) {
    this.thread = thread
    const row = this.rows?.find(({ id }) => id === thread.id)
    if (row) Object.assign(row, thread)
  }

  typed() {
    if (!this.q.trim()) this.clear()
  }

  search() {
    const q = this.q.trim()
    if (!q) return
    this.$location.search('q', q).replace()
    this.messages.search(q).then(
      (found) => (this.found = found.map((hit) => ({ ...hit, words: authorWords(hit.author) }))),
      (problem) => this.toast.failed('The search failed.', problem),
    )
  }

  clear() {
    Object.assign(this, { q: '', found: null })
    this.$location.search('q', null).replace()
  }
}

/** All conversations, and the one that is open. */
export const ghMessagesPage = { template, controller: MessagesPageController }
