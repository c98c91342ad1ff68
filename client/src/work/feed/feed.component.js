import { formatMoney } from '../../shared/money/money.js'
import './feed.css'
import template from './feed.component.html?raw'

const WAGES = [600, 900, 1200, 1500, 2000, 3000]
const TYPING_MS = 300

/** Steps of the wage filter, which counts in minor units an hour. */
function wagesIn(currency) {
  return WAGES.map((amount) => ({ value: String(amount), words: `${formatMoney({ amount, currency })} an hour or more` }))
}

class FeedController {
  static $inject = ['Feed', 'pages', 'start', 'toast', 'live', '$location', '$timeout']

  constructor(Feed, pages, start, toast, live, $location, $timeout) {
    Object.assign(this, { Feed, pages, start, toast, live, $location, $timeout })
    this.wages = wagesIn('USD')
  }

  $onInit() {
    const { q = '', sort = 'newest', min_wage = '', keyword = '', hidden } = this.$location.search()
    this.filter = { q, sort, min_wage, keyword, hidden: Boolean(hidden) }
    this.load()
    // Nobody is told of the projects of others: the clock looks for them, with a connection too.
    this.off = this.live.on('project', () => this.refresh(), { every: 60, slow: 60 })
  }

  $onDestroy() {
    this.off()
    this.$timeout.cancel(this.typing)
  }

  get isFiltered() {
    const { q, min_wage, keyword, hidden } = this.filter
    return Boolean(q || min_wage || keyword || hidden)
  }

  query() {
    const { q, sort, min_wage, keyword, hidden } = this.filter
    return {
      q: q || undefined,
      sort: sort === 'newest' ? undefined : sort,
      min_wage: min_wage || undefined,
      keyword: keyword || undefined,
      hidden: hidden ? '1' : undefined,
    }
  }

  typed() {
    this.$timeout.cancel(this.typing)
    this.typing = this.$timeout(() => this.changed(), TYPING_MS)
  }

  changed() {
    // Replaced, not pushed: each letter typed is not a page to go back to.
    this.$location.search(this.query()).replace()
    this.load()
  }

  only(keyword) {
    this.filter.keyword = keyword
    this.changed()
  }

  clear() {
    this.filter = { q: '', sort: this.filter.sort, min_wage: '', keyword: '', hidden: false }
    this.changed()
  }

  load() {
    this.cards = null
    this.problem = null
    return this.fetch((problem) => (this.problem = problem))
  }

  /** Fetch again without taking away what is shown; more pages than the first are left alone. */
  refresh() {
    if (!this.cards || this.cards.length > 50) return
    this.fetch(() => {})
  }

  fetch(failed) {
    const asked = (this.asked = {})
    return this.Feed.query(this.query()).$promise.then(
      (cards) => {
        if (asked !== this.asked) return
        Object.assign(this, { cards, problem: null })
        if (cards.length) this.wages = wagesIn(cards[0].reward.currency)
      },
      (problem) => {
        if (asked === this.asked) failed(problem)
      },
    )
  }

  more() {
    this.loadingMore = true
    this.pages
      .more(this.cards)
      .then((cards) => (this.cards = cards))
      .catch((problem) => this.toast.failed('Could not show more.', problem))
      .finally(() => (this.loadingMore = false))
  }

  begin(card) {
    this.starting = card.project
    this.start
      .begin(card.project)
      .catch((problem) => {
        this.toast.failed('This project could not be started.', problem)
        this.refresh()
      })
      .finally(() => (this.starting = null))
  }

  hide(card) {
    this.Feed.hide({ project: card.project }, {}).$promise.then(
      () => {
        this.drop(card)
        this.toast.say(`“${card.title}” is hidden. You find it again under “Hidden”.`)
      },
      (problem) => this.toast.failed('It could not be hidden.', problem),
    )
  }

  show(card) {
    this.Feed.show({ project: card.project }).$promise.then(
      () => {
        this.drop(card)
        this.toast.say(`“${card.title}” is back in your feed.`)
      },
      (problem) => this.toast.failed('It could not be shown again.', problem),
    )
  }

  drop(card) {
    const left = this.cards.filter((other) => other !== card)
    left.$next = this.cards.$next
    this.cards = left
  }
}

/** Find work: every project the worker may work on, with what an hour of it earns. The address holds the filters. */
export const ghFeed = { template, controller: FeedController }
