import template from './review-detail.component.html?raw'
import { formatDuration } from '../../shared/duration/duration.js'
import { moneyText, parseMoney } from '../../shared/money/money.js'
import { CATEGORIES, categoryWords } from '../../shared/rejection.js'
import { answerLines, taskName } from '../answer-text.js'
import './review-detail.css'

const DECIDED = { accepted: 'Accepted', rejected: 'Rejected', sent_back: 'Sent back' }
export const LEAST = { reject: 20, sendBack: 10 }
const DAY = 86_400
const TIMES = [1, 3, 7, 30].map((days) => days * DAY)
const MOST_ROUNDS = 3

/** How long a worker may be given to do an answer again: the least that the server takes first. */
export function timesAgain(claimLasts = 0) {
  const least = Math.max(DAY, claimLasts)
  return [least, ...TIMES.filter((seconds) => seconds > least)].map((seconds) => ({ seconds, words: formatDuration(seconds, { long: true }) }))
}

/** One answer beside its input, what helps to judge it, and the decisions. `pressed` is `{act}` of a key. */
class ReviewDetailController {
  static $inject = ['$element', '$timeout']

  constructor($element, $timeout) {
    Object.assign(this, { host: $element[0], $timeout, categories: CATEGORIES, least: LEAST })
  }

  $onChanges(changes) {
    if (changes.review) this.take()
    else if (changes.pressed && this.pressed) this.act(this.pressed.act)
  }

  take() {
    const { review, version } = this
    Object.assign(this, { mode: null, text: '', category: '', problem: null, halted: false, errors: {}, paying: null })
    this.name = taskName(review.task)
    this.lines = answerLines(review.answer, version)
    this.isWaiting = review.state === 'submitted'
    this.roundsLeft = MOST_ROUNDS - (review.moves ?? []).filter((move) => move.to === 'sent_back').length
    this.canSendBack = this.isWaiting && this.roundsLeft > 0
    this.times = timesAgain(version.claim_lasts)
    this.lasts = this.times[0].seconds
    // A rejection that is not final yet can be overturned.
    this.canAccept = this.isWaiting || (review.state === 'rejected' && Boolean(review.settles_at))
    this.canPayPart = ['returned', 'expired', 'rejected'].includes(review.state)
    this.canBonus = review.state === 'accepted'
    this.currency = review.reward.currency
    this.category_name = categoryWords(review.decision?.category)
    this.decided = DECIDED[review.state] || 'Decided'
    const { gold } = review.task
    const known = gold ? answerLines(gold, version) : []
    this.gold = known.map((line) => (known.length > 1 ? `${line.label}: ${line.text}` : line.text)).join(', ')
    this.othersText = review.others?.of ? `${review.others.agree} of ${review.others.of} others gave the same ${review.others.key}.` : null
  }

  act(verb) {
    if (this.busy) return
    if (verb === 'accept' && this.canAccept) {
      this.send('accept')
    } else if ((verb === 'reject' && this.isWaiting) || (verb === 'sendBack' && this.canSendBack)) {
      this.mode = verb
      this.$timeout(() => this.host.querySelector('.review-words :is(select, textarea)')?.focus(), 0, false)
    }
  }

  get missing() {
    return Math.max(0, LEAST[this.mode] - this.text.trim().length)
  }

  check() {
    this.errors = {}
    if (this.mode === 'reject' && !this.category) this.errors.category = 'Choose what is the matter.'
    if (this.missing) this.errors.text = `The worker reads this: ${this.missing} more ${this.missing === 1 ? 'character' : 'characters'}.`
    return !Object.keys(this.errors).length
  }

  confirm() {
    if (!this.check()) return
    const text = this.text.trim()
    this.send(this.mode, this.mode === 'reject' ? { category: this.category, reason: text } : { comment: text, lasts: this.lasts })
  }

  send(verb, body = {}) {
    this.busy = true
    this.problem = null
    this.onDecide({ verb, body })
      .catch((problem) => {
        this.halted = problem.code === 'rejections_halted'
        const { fields = {} } = problem
        this.errors = { text: fields.reason || fields.comment, category: fields.category, lasts: fields.lasts }
        if (!this.halted && !Object.values(this.errors).some(Boolean)) this.problem = problem
      })
      .finally(() => (this.busy = false))
  }

  cancel() {
    this.mode = null
    this.errors = {}
  }

  wordsKey(event) {
    if (event.key === 'Escape') {
      this.cancel()
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      this.confirm()
    }
  }

  // Money beyond the reward

  askPay(verb) {
    this.paying = { verb, text: verb === 'payPartial' ? moneyText({ amount: Math.ceil(this.review.reward.amount / 2), currency: this.currency }) : '', reason: '', errors: {} }
  }

  pay() {
    const { verb, text, reason } = this.paying
    const amount = parseMoney(text, this.currency)
    const errors = {}
    if (!amount) errors.amount = 'Write an amount such as 0.50.'
    if (verb === 'payPartial' && amount > this.review.reward.amount) errors.amount = 'A part is at most the whole reward.'
    if (!reason.trim()) errors.reason = 'Say what it is for; the worker reads it.'
    this.paying.errors = errors
    if (Object.keys(errors).length) return
    this.busy = true
    this.onPay({ verb, body: { amount: { amount, currency: this.currency }, reason: reason.trim() } })
      .then(
        () => (this.paying = null),
        (problem) => {
          const fields = problem.fields || {}
          const known = { amount: fields.amount || fields['amount.amount'], reason: fields.reason }
          this.paying.errors = known
          if (!known.amount && !known.reason) this.paying.failed = problem
        },
      )
      .finally(() => (this.busy = false))
  }
}

export const ghReviewDetail = {
  template,
  controller: ReviewDetailController,
  bindings: { review: '<', version: '<', pressed: '<', onDecide: '&', onPay: '&', onNarrow: '&' },
}
