import { setTitle } from '../../core/core.module.js'
import { formatDuration } from '../../shared/duration/duration.js'
import { parts, shownValue, unanswered } from '../../shared/interface/answer.js'
import { categoryWords } from '../../shared/rejection.js'
import { Draft } from './draft.js'
import './task.css'
import template from './task.component.html?raw'

const READ = 'guildhall.read.'
const HELD = ['claimed', 'sent_back']
const GONE = ['assignment.returned', 'assignment.expired']
// Where Enter already means something: a new line, a link, a button.
const ENTER_IS_TAKEN = 'textarea, a, button, select, summary, .rank, [contenteditable]'
const TYPING = 'input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable]'

class TaskController {
  static $inject = ['Assignment', 'Feed', 'versions', 'toast', 'live', 'notifications', 'clock', 'lastWords', '$routeParams', '$location', '$timeout', '$interval', '$window', '$scope', '$q']

  constructor(Assignment, Feed, versions, toast, live, notifications, clock, lastWords, $routeParams, $location, $timeout, $interval, $window, $scope, $q) {
    Object.assign(this, { Assignment, Feed, versions, toast, live, notifications, clock, lastWords, $location, $timeout, $interval, $window, $scope, $q })
    this.id = $routeParams.id
    this.categoryWords = categoryWords
    this.doneHere = 0
    this.onKey = (event) => this.keyPressed(event)
    this.onHide = () => this.leave()
    this.onVisibility = () => this.$window.document.visibilityState === 'hidden' && this.draft?.flush()
  }

  $onInit() {
    const { document } = this.$window
    document.addEventListener('keydown', this.onKey)
    document.addEventListener('visibilitychange', this.onVisibility)
    this.$window.addEventListener('pagehide', this.onHide)
    // Nothing to do each second but to look again: the words about the draft say how long ago it was saved.
    this.ticker = this.$interval(() => {}, 1000)
    this.off = this.live.on('assignment', (event, events) => this.happened(events), { every: 120 })
    this.load()
  }

  $onDestroy() {
    this.off()
    this.unwatch?.()
    const { document } = this.$window
    document.removeEventListener('keydown', this.onKey)
    document.removeEventListener('visibilitychange', this.onVisibility)
    this.$window.removeEventListener('pagehide', this.onHide)
    this.$interval.cancel(this.ticker)
    this.draft?.flush()
    this.returnNext()
    this.live.changed('assignment')
    this.gone = true
  }

  load() {
    this.problem = null
    return this.Assignment.get({ id: this.id })
      .$promise.then((assignment) => this.show(assignment))
      .catch((problem) => (this.problem = problem))
  }

  /** Somebody else, the clock or another tab did something to what is shown here or is held ready. */
  happened(events = []) {
    const gone = ({ subject, event }) => subject === this.next?.id && GONE.includes(event)
    if (events.some(gone)) this.next = null
    if (events.length && !events.some(({ subject }) => subject === this.id)) return
    if (!this.assignment || this.busy || this.over || this.finished) return
    const { id } = this
    this.Assignment.get({ id }).$promise.then((assignment) => this.moved(assignment), () => {})
  }

  moved(assignment) {
    if (assignment.id !== this.id || this.busy || this.gone || assignment.state === this.assignment.state) return
    if (this.isHeld) {
      // What was entered stays to be seen; it can go nowhere.
      this.draft.pause()
      Object.assign(this, { elsewhere: assignment.state, readOnly: true, isHeld: false })
    } else this.show(assignment)
  }

  show(assignment) {
    return this.versions.get(assignment.version).then((version) => {
      if (this.gone) return
      this.draft?.close()
      this.version = version
      this.assignment = assignment
      this.id = assignment.id
      this.title = assignment.title ?? version.title
      this.requester = assignment.requester ?? this.requester
      this.isHeld = HELD.includes(assignment.state)
      this.over = false
      this.elsewhere = null
      this.problems = null
      this.refusal = null
      this.busy = null
      this.readOnly = !this.isHeld
      this.showInstructions = this.isHeld && !this.hasRead(version)
      this.autoAccept = formatDuration(version.auto_accept_after, { long: true })
      this.draft = new Draft({
        id: assignment.id,
        save: (answer) => this.Assignment.saveDraft({ id: assignment.id }, { draft: answer }).$promise,
        $timeout: this.$timeout,
        storage: this.$window.sessionStorage,
      })
      const rescued = this.isHeld ? this.draft.rescued() : null
      this.answer = (this.isHeld ? (rescued ?? assignment.draft ?? assignment.answer) : assignment.answer) ?? {}
      if (rescued) this.draft.change(rescued)
      this.checkComplete()
      this.unwatch?.()
      this.unwatch = this.notifications.watch(assignment.id)
      setTitle(this.$window.document, this.title)
    })
  }

  changed(answer) {
    this.answer = answer
    this.problems = null
    this.refusal = null
    this.draft.change(answer)
    this.checkComplete()
    if (this.complete) this.prefetch()
  }

  /** Instructions stand open until the worker folds them away or has handed in a first answer. */
  hasRead(version) {
    return this.$window.localStorage.getItem(`${READ}${this.assignment.project}`) === version.id
  }

  markRead() {
    this.$window.localStorage.setItem(`${READ}${this.assignment.project}`, this.version.id)
  }

  toggleInstructions() {
    this.showInstructions = !this.showInstructions
    if (!this.showInstructions) this.markRead()
  }

  checkComplete() {
    const { kind } = this.version.interface
    const isForm = kind === 'elements'
    this.complete = isForm ? unanswered(this.version.interface, this.answer).length === 0 : Object.keys(this.answer).length > 0
  }

  get draftWords() {
    const draft = this.draft
    if (!draft || !this.isHeld) return ''
    if (draft.state === 'failed') return `Draft not saved: ${draft.problem?.detail ?? ''} It stays in this tab.`
    if (draft.state === 'saving' || draft.state === 'waiting') return 'Saving the draft…'
    if (draft.savedAt) return `Draft saved ${formatDuration((Date.now() - draft.savedAt) / 1000)} ago on the server.`
    if (this.assignment.draft) return 'Your draft was restored.'
    return 'What you enter is kept on the server as you go.'
  }

  /** Claim the task after this one, so that it is there at once. At most one, and only when this one is as good as done. */
  prefetch() {
    if (this.next || this.fetchingNext || this.noNext || this.assignment.state !== 'claimed') return
    this.fetchingNext = this.Assignment.claim({ project: this.assignment.project })
      .$promise.then(
        (next) => {
          if (this.gone) {
            this.Assignment.giveBack({ id: next.id }, {})
            return
          }
          this.next = next
          this.warm(next)
        },
        () => (this.noNext = true),
      )
      .finally(() => (this.fetchingNext = null))
  }

  /** Let the browser load the next task's pictures now. */
  warm(next) {
    const { shown } = parts(this.version.interface)
    for (const element of shown) {
      const address = element.show === 'image' ? shownValue(element, next.input) : null
      if (typeof address === 'string') {
        const picture = new this.$window.Image()
        picture.referrerPolicy = 'no-referrer'
        picture.src = address
      }
    }
  }

  returnNext() {
    if (!this.next) return
    this.Assignment.giveBack({ id: this.next.id }, {})
      .$promise.catch(() => {})
      .then(() => this.live.changed('assignment'))
    this.next = null
  }

  /** The page is going away: nobody waits for answers any more. */
  leave() {
    if (this.draft?.pending && this.isHeld && !this.draft.closed) {
      this.lastWords.send('PUT', `/api/v1/assignments/${this.id}/draft`, { draft: this.draft.pending })
    }
    if (this.next) {
      this.lastWords.send('POST', `/api/v1/assignments/${this.next.id}/return`)
      this.next = null
    }
  }

  submit() {
    if (!this.isHeld || this.over || this.busy) return undefined
    const missing = unanswered(this.version.interface, this.answer)
    if (missing.length) return this.complain(Object.fromEntries(missing.map((key) => [key, 'This needs an answer.'])))
    if (this.version.interface.kind !== 'elements' && !this.complete) {
      this.refusal = { detail: 'The page above has not given an answer yet.' }
      return undefined
    }
    this.busy = 'submit'
    this.draft.pause()
    const wantsNext = this.assignment.state === 'claimed'
    // A claim that is on its way is waited for: asking for another one would leave two.
    return this.$q
      .when(this.fetchingNext)
      .then(() => this.Assignment.submit({ id: this.id }, { answer: this.answer, next: wantsNext && !this.next }).$promise)
      .then(
        (done) => {
          this.draft.close()
          this.doneHere += 1
          this.markRead()
          return this.goOn(done.next, wantsNext)
        },
        (problem) => this.refused(problem),
      )
      .finally(() => (this.busy = null))
  }

  refused(problem) {
    this.draft.resume()
    if (problem.code === 'invalid_answer') {
      const byKey = {}
      for (const error of problem.errors) byKey[error.field.replace(/^answer\./, '').split('.')[0]] ??= error.detail
      this.complain(byKey)
    } else if (problem.code === 'too_late') {
      this.close()
    } else if (problem.code === 'wrong_state') {
      this.toast.failed('It was not handed in.', problem)
      this.load()
    }
    this.refusal = problem
  }

  complain(problems) {
    this.problems = problems
    this.$timeout(() => this.$window.document.querySelector('.ask.wrong :is(input, textarea, .rank)')?.focus(), 0, false)
  }

  goOn(next, wantsNext) {
    const following = this.next ?? next
    this.next = null
    this.noNext = false
    this.live.changed('assignment')
    if (following) return this.turnTo(following)
    if (!wantsNext) {
      this.toast.say('Handed in again.')
      return this.$location.url('/work')
    }
    this.finished = true
    this.isHeld = false
    return undefined
  }

  turnTo(assignment) {
    this.$location.path(`/assignments/${assignment.id}`).replace()
    this.$window.scrollTo?.(0, 0)
    return this.show(assignment).then(() =>
      this.$timeout(() => this.$window.document.getElementById('task-title')?.focus({ preventScroll: true }), 0, false),
    )
  }

  skip() {
    if (!this.isHeld || this.over || this.busy || this.assignment.state !== 'claimed') return undefined
    this.busy = 'skip'
    const leaving = this.$q.when(this.fetchingNext).then(() =>
      this.next
        ? this.Assignment.giveBack({ id: this.id }, { reason: 'skipped' }).$promise.then(() => ({ next: null }))
        : this.Assignment.skip({ id: this.id }, {}).$promise,
    )
    return leaving
      .then(
        (done) => {
          this.draft.close()
          return this.goOn(done.next, true)
        },
        (problem) => this.toast.failed('It could not be skipped.', problem),
      )
      .finally(() => (this.busy = null))
  }

  giveBack() {
    if (this.busy) return undefined
    this.busy = 'return'
    return this.Assignment.giveBack({ id: this.id }, {})
      .$promise.then(
        () => {
          this.draft.close()
          this.toast.say('Returned. This does not count against you.')
          this.$location.url('/feed')
        },
        (problem) => this.toast.failed('It could not be returned.', problem),
      )
      .finally(() => (this.busy = null))
  }

  /** The time has run out, grace included: nothing more can be sent, what was entered stays to be seen. */
  close() {
    this.over = true
    this.readOnly = true
    this.draft?.flush()
    this.returnNext()
    this.live.changed('assignment')
  }

  startAnother() {
    this.busy = 'next'
    return this.Assignment.claim({ project: this.assignment.project })
      .$promise.then(
        (next) => this.turnTo(next),
        (problem) => (this.refusal = problem),
      )
      .finally(() => (this.busy = null))
  }

  keyPressed(event) {
    if (!this.isHeld || this.over || this.finished || event.defaultPrevented || event.repeat || event.isComposing) return
    if (this.$window.document.querySelector('dialog[open]')) return
    const { target } = event
    const withCommand = event.ctrlKey || event.metaKey
    if (event.key === 'Enter' && !event.altKey && !event.shiftKey && (withCommand || !target.closest?.(ENTER_IS_TAKEN))) {
      event.preventDefault()
      this.$scope.$apply(() => this.submit())
    } else if (event.key.toLowerCase() === 's' && !withCommand && !event.altKey && !target.closest?.(TYPING)) {
      event.preventDefault()
      this.$scope.$apply(() => this.skip())
    }
  }
}

/** One assignment: the form while it is in the worker's hands, its answer and what became of it afterwards. */
export const ghTask = { template, controller: TaskController }
