import { Outbox } from '../outbox.js'
import { authorWords } from '../thread-words.js'
import template from './announcements.component.html?raw'

class AnnouncementsController {
  static $inject = ['messages', 'pages', 'live', 'toast', '$window', '$scope']

  constructor(messages, pages, live, toast, $window, $scope) {
    Object.assign(this, { messages, pages, live, toast, $window, $scope })
  }

  $onInit() {
    this.off = this.live.on('message', () => this.project && !this.hasMore && this.load(), { every: 300 })
  }

  $onChanges() {
    if (!this.project) return
    this.outbox = new Outbox({
      name: `announce:${this.project}`,
      storage: this.$window.sessionStorage,
      send: (body, key) => this.messages.announce(this.project, body, key),
    })
    // What did not arrive stands in the form again; its key goes along, so that it is announced once.
    this.pending = this.outbox.unsent[0] ?? null
    this.text = this.pending?.body ?? this.outbox.text
    this.load()
  }

  $onDestroy() {
    this.off()
  }

  load() {
    return this.messages.announcements(this.project).then((rows) => this.take(rows), (problem) => !this.rows && (this.problem = problem))
  }

  take(rows) {
    for (const row of rows) row.words ??= authorWords(row.author)
    Object.assign(this, { rows, problem: null })
  }

  more() {
    this.busy = this.hasMore = true
    this.pages
      .more(this.rows)
      .then((rows) => this.take(rows), (problem) => this.toast.failed('The rest could not be loaded.', problem))
      .finally(() => (this.busy = false))
  }

  typed() {
    if (this.pending && this.pending.body !== this.text.trim()) {
      this.outbox.drop(this.pending)
      this.pending = null
    }
    if (!this.pending) this.outbox.typed(this.text)
    this.error = null
  }

  send() {
    Object.assign(this, { sending: true, failed: null })
    const sent = this.pending ? this.outbox.deliver(this.pending) : this.outbox.send()
    return sent.then((message) => this.$scope.$evalAsync(() => this.done(message)))
  }

  done(message) {
    this.sending = false
    this.pending = this.outbox.unsent[0] ?? null
    if (!message) {
      this.failed = this.pending?.problem
      this.error = this.failed?.fields?.body
      return
    }
    this.text = ''
    this.toast.say('Announced to everybody who works on it.')
    this.load()
  }
}

/** What was announced about a project; with `write`, a form to announce more. */
export const ghAnnouncements = { bindings: { project: '<', write: '<' }, template, controller: AnnouncementsController }
