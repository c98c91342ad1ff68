import template from './review-many.component.html?raw'
import { CATEGORIES } from '../../shared/rejection.js'
import { LEAST, timesAgain } from '../review-detail/review-detail.component.js'
import { queryOf } from '../review-filter.js'
import { decideMany } from './decide-many.js'
import './review-many.css'

const MOST = 2000
const PAGE = 200
const SLOW_MS = 1000
const SAID = { rejectMany: 'rejected', sendBackMany: 'sent back' }

/**
 * The dialog that rejects or sends back all submitted answers that a filter shows.
 *
 * `verb` opens it: `rejectMany` or `sendBackMany`. What it decides about is what it found when it opened, so that
 * nothing which came in meanwhile is decided unseen. `onDone({words})` is called once something was decided.
 */
class ReviewManyController {
  static $inject = ['Review', 'pages', '$q', '$timeout', '$element']

  constructor(Review, pages, $q, $timeout, $element) {
    Object.assign(this, { Review, pages, $q, $timeout, host: $element[0], categories: CATEGORIES, most: MOST })
  }

  $onChanges(changes) {
    if (changes.verb && this.verb) this.begin()
  }

  $onDestroy() {
    this.stop()
    this.$timeout.cancel(this.slowly)
  }

  begin() {
    Object.assign(this, { text: '', category: '', errors: {}, problem: null, outcome: null, sending: null })
    this.said = SAID[this.verb]
    this.rejects = this.verb === 'rejectMany'
    this.times = timesAgain(this.version?.claim_lasts)
    this.lasts = this.times[0].seconds
    this.find()
  }

  find() {
    Object.assign(this, { ids: null, failed: null })
    const asked = (this.asked = {})
    const current = (act) => (found) => asked === this.asked && act(found)
    this.Review.ofProject({ project: this.project, ...queryOf(this.filter), state: 'submitted', order: 'oldest', limit: PAGE })
      .$promise.then((rows) => this.reach(rows))
      .then(
        current((rows) => {
          this.hasMore = Boolean(rows.$next) || rows.length > MOST
          this.ids = rows.slice(0, MOST).map((row) => row.id)
          // The dialog looked for something to focus when it opened, before there was a form.
          this.$timeout(() => this.host.querySelector('.dialog-content :is(select, textarea, button)')?.focus(), 0, false)
        }),
        current((problem) => (this.failed = problem)),
      )
  }

  reach(rows) {
    return rows.$next && rows.length < MOST ? this.pages.more(rows).then((longer) => this.reach(longer)) : rows
  }

  get missing() {
    return Math.max(0, LEAST[this.rejects ? 'reject' : 'sendBack'] - this.text.trim().length)
  }

  check() {
    this.errors = {}
    if (this.rejects && !this.category) this.errors.category = 'Choose what is the matter.'
    if (this.missing) this.errors.text = `The workers read this: ${this.missing} more ${this.missing === 1 ? 'character' : 'characters'}.`
    return !Object.keys(this.errors).length
  }

  confirm() {
    if (this.sending || !this.ids?.length || !this.check()) return
    const { verb, project } = this
    const text = this.text.trim()
    const body = this.rejects ? { category: this.category, reason: text } : { comment: text, lasts: this.lasts }
    this.problem = null
    const sending = (this.sending = { of: this.ids.length, behind: 0, slow: false, stopped: false })
    this.slowly = this.$timeout(() => (sending.slow = true), SLOW_MS)
    decideMany({
      $q: this.$q,
      ids: this.ids,
      decide: (ids) => this.Review[verb]({ project }, { ids, ...body }).$promise,
      onProgress: (behind) => (sending.behind = behind),
      stopped: () => sending.stopped,
    })
      .then(
        (outcome) => this.finished(outcome),
        (problem) => this.refused(problem),
      )
      .finally(() => {
        this.$timeout.cancel(this.slowly)
        this.sending = null
      })
  }

  finished(outcome) {
    this.outcome = outcome
    this.$timeout(() => this.host.querySelector('.dialog-content button')?.focus(), 0, false)
    const words = `${outcome.done} ${outcome.done === 1 ? 'answer' : 'answers'} ${this.said}.`
    if (outcome.done) this.onDone({ words: outcome.left ? null : words })
    if (!outcome.left) this.onClose()
  }

  refused(problem) {
    const { fields } = problem
    this.errors = { text: fields.reason || fields.comment, category: fields.category, lasts: fields.lasts }
    if (!Object.values(this.errors).some(Boolean)) this.problem = problem
  }

  stop() {
    if (this.sending) this.sending.stopped = true
  }

  /** While it is under way, closing stops it; what became of it is still told. */
  close() {
    if (this.sending) this.stop()
    else this.onClose()
  }

  wordsKey(event) {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      this.confirm()
    }
  }
}

export const ghReviewMany = {
  template,
  controller: ReviewManyController,
  bindings: { verb: '<', project: '<', version: '<', filter: '<', words: '<', onClose: '&', onDone: '&' },
}
