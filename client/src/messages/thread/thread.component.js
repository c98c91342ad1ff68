import { Outbox } from '../outbox.js'
import { authorWords, otherSide, placeOf } from '../thread-words.js'
import './thread.css'
import template from './thread.component.html?raw'

const TYPING_APART_MS = 3000
const TYPING_LASTS_MS = 5000
const PRESENCE_SECONDS = 30
const NEAR_END = 80

let count = 0

/**
 * One conversation: what was written, and writing. Without a `thread` it is begun by the first message, about `about`
 * (and `to`, a worker's pseudonym, from a requester), and `onOpened` gets it.
 */
class ThreadController {
  static $inject = ['messages', 'pages', 'live', 'toast', '$element', '$timeout', '$interval', '$window', '$scope']

  constructor(messages, pages, live, toast, $element, $timeout, $interval, $window, $scope) {
    Object.assign(this, { messages, pages, live, toast, host: $element[0], $timeout, $interval, $window, $scope })
    this.inputId = `message-${(count += 1)}`
    this.asked = 0
    this.typedAt = 0
  }

  $onInit() {
    this.offs = [
      this.live.on(['message', 'thread'], (event, events = []) => this.happened(events), { every: 20 }),
      this.live.onFrame('typing', (frame) => this.frame(frame, () => this.showTyping(frame.name))),
      this.live.onFrame('presence', (frame) => this.frame(frame, () => (this.online = frame.online))),
    ]
    this.asking = this.$interval(() => this.askPresence(), PRESENCE_SECONDS * 1000)
  }

  $onChanges(changes) {
    const before = changes.thread?.previousValue
    if (changes.thread && before?.id === this.thread?.id && !changes.thread.isFirstChange()) this.describe()
    else this.start()
  }

  $onDestroy() {
    this.offs.forEach((off) => off())
    this.$interval.cancel(this.asking)
    this.$timeout.cancel(this.untyping)
    this.gone = true
  }

  start() {
    const { thread, about, to } = this
    const name = thread ? `${thread.about.kind}:${thread.about.id}:${thread.side === 'worker' ? '' : (thread.worker ?? '')}` : `${about.kind}:${about.id}:${to ?? ''}`
    if (name === this.name) {
      // It was begun here just now: what is on its way stays on its way.
      this.describe()
      if (thread && !this.rows) this.load()
      return
    }
    Object.assign(this, { name, rows: null, online: false, typing: '', previewing: false, problem: null })
    this.outbox = new Outbox({
      name,
      storage: this.$window.sessionStorage,
      send: (body, key) => this.post(body, key),
    })
    this.text = this.outbox.text
    this.describe()
    if (thread) this.load()
  }

  describe() {
    const { thread } = this
    this.other = thread ? otherSide(thread) : this.to ? `worker ${this.to}` : 'the requester'
    this.place = thread && placeOf(thread)
    this.emptyWords = this.to ? 'Nothing was written yet. The worker sees your name and that of your collective.' : 'Nothing was written yet. The requester sees your pseudonym, never your name.'
    this.closedWords = thread && this.wordsWhenClosed(thread)
  }

  wordsWhenClosed(thread) {
    if (thread.can_write) return ''
    if (thread.blocked_by_me) return 'You have blocked them, so no message can be sent.'
    if (thread.blocked) return 'They take no messages from you.'
    if (thread.kind === 'announcements') return thread.side === 'worker' ? 'Only the requester writes here.' : 'Write announcements on the page of the project.'
    return 'Your collective has not given you the right to write in its name.'
  }

  load() {
    this.problem = null
    this.askPresence()
    return this.fetch((problem) => (this.problem = problem))
  }

  fetch(failed) {
    const asked = (this.asked += 1)
    const { id } = this.thread
    return this.messages.of(id).then(
      (page) => asked === this.asked && !this.gone && this.take(page),
      (problem) => asked === this.asked && failed(problem),
    )
  }

  /** The newest page, with what was already read further back. */
  take(page) {
    const atEnd = !this.rows || this.isAtEnd()
    const oldest = page.at(-1)?.number ?? 1
    const further = (this.newestFirst ?? []).filter((row) => row.number < oldest && row.thread === this.thread.id)
    const whole = [...page, ...further]
    whole.$next = further.length ? this.newestFirst.$next : page.$next
    this.show(whole)
    if (atEnd) this.scrollToEnd(this.sought ? undefined : this.lookedFor)
    this.sought = true
    this.markRead()
  }

  show(newestFirst) {
    for (const row of newestFirst) row.words ??= authorWords(row.author)
    this.newestFirst = newestFirst
    this.rows = [...newestFirst].reverse()
    this.problem = null
  }

  older() {
    this.busyOlder = true
    this.pages
      .more(this.newestFirst)
      .then((rows) => this.show(rows), (problem) => this.toast.failed('The earlier messages could not be loaded.', problem))
      .finally(() => (this.busyOlder = false))
  }

  markRead() {
    const newest = this.newestFirst[0]?.number ?? 0
    if (!this.live.inFront() || newest <= Math.max(this.thread.read, this.readTo?.[this.thread.id] ?? 0)) return
    this.readTo = { [this.thread.id]: newest }
    this.messages.read(this.thread.id, newest).then((thread) => this.changed(thread), () => (this.readTo = null))
  }

  happened(events) {
    if (!this.thread || (events.length && !events.some(({ subject }) => subject === this.thread.id))) return
    if (events.some(({ event }) => event === 'message.sent')) this.typing = ''
    if (!events.length || events.some(({ event }) => event !== 'thread.read')) this.fetch(() => {})
    if (events.some(({ event }) => event !== 'message.sent')) this.messages.thread(this.thread.id).then((thread) => this.changed(thread), () => {})
  }

  changed(thread) {
    if (this.gone || thread.id !== this.thread?.id) return
    this.thread = thread
    this.describe()
    this.onChanged({ thread })
  }

  // Writing

  typed() {
    this.outbox.typed(this.text)
    const now = Date.now()
    if (!this.thread || now - this.typedAt < TYPING_APART_MS || !this.text.trim()) return
    this.typedAt = now
    this.live.send({ type: 'typing', thread: this.thread.id })
  }

  keyPressed(event) {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    // On the pages beside which a thread stands, this would hand in the work.
    event.stopPropagation()
    this.send()
  }

  send() {
    this.outbox.typed(this.text)
    const sent = this.outbox.send()
    Object.assign(this, { text: '', previewing: false, typedAt: 0 })
    this.scrollToEnd()
    return this.arrived(sent)
  }

  again(message) {
    return this.arrived(this.outbox.deliver(message))
  }

  arrived(sent) {
    return sent.then((message) => {
      this.$scope.$evalAsync(() => message && this.thread && !this.gone && message.thread === this.thread.id && this.add(message))
    })
  }

  add(message) {
    if (!this.rows?.some((row) => row.id === message.id)) {
      const whole = [message, ...(this.newestFirst ?? [])]
      whole.$next = this.newestFirst?.$next
      this.show(whole.sort((a, b) => b.number - a.number))
    }
    this.scrollToEnd()
    this.live.changed('message')
  }

  takeBack(message) {
    this.outbox.typed(this.text)
    this.outbox.takeBack(message)
    this.text = this.outbox.text
    this.$timeout(() => this.host.querySelector('textarea')?.focus(), 0, false)
  }

  post(body, key) {
    if (this.thread) return this.messages.send(this.thread.id, body, key)
    return this.messages.open(this.about, this.to, body, key).then(({ thread, message }) => {
      this.thread = thread
      this.describe()
      this.onOpened({ thread })
      return message
    })
  }

  // Who is there

  frame(frame, act) {
    if (frame.thread === this.thread?.id) act()
  }

  showTyping(name) {
    this.typing = name
    this.$timeout.cancel(this.untyping)
    this.untyping = this.$timeout(() => (this.typing = ''), TYPING_LASTS_MS)
  }

  askPresence() {
    if (this.thread && this.thread.kind !== 'announcements' && this.live.inFront()) this.live.send({ type: 'presence', thread: this.thread.id })
  }

  // The menu

  act(verb, event) {
    event?.target.closest('details')?.removeAttribute('open')
    this.blocking = false
    this.messages.act(this.thread.id, verb).then((thread) => this.changed(thread), (problem) => this.toast.failed('That could not be done.', problem))
  }

  askBlock(event) {
    event.target.closest('details').removeAttribute('open')
    this.blocking = true
  }

  askReport(message) {
    this.reporting = { message, category: '', reason: '', errors: {} }
  }

  report() {
    const { reporting } = this
    if (!reporting.category) {
      reporting.errors = { category: 'Choose what is the matter.' }
      return
    }
    Object.assign(reporting, { busy: true, problem: null, errors: {} })
    this.messages
      .report(reporting.message.id, reporting.category, reporting.reason)
      .then(
        () => {
          this.reporting = null
          this.toast.say('Thank you. The operators will look at it.')
        },
        (problem) => Object.assign(reporting, { problem, errors: problem.fields }),
      )
      .finally(() => (reporting.busy = false))
  }

  // Where one is

  get box() {
    return this.host.querySelector('.thread-messages')
  }

  isAtEnd() {
    const { box } = this
    return !box || box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END
  }

  /** To the newest message, or to the one with this number if it is shown. */
  scrollToEnd(number) {
    this.told = number ?? this.told
    const move = () => {
      const wanted = number && this.host.querySelector(`[data-number="${number}"]`)
      if (wanted) wanted.scrollIntoView({ block: 'center' })
      else if (this.box) this.box.scrollTop = this.box.scrollHeight
    }
    this.$timeout(move, 0, false)
  }
}

export const ghThread = {
  bindings: { thread: '<', about: '<', to: '<', compact: '<', lookedFor: '<', onOpened: '&', onChanged: '&' },
  template,
  controller: ThreadController,
}
