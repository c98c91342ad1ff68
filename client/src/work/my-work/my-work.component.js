import { categoryWords } from '../../shared/rejection.js'
import './my-work.css'
import template from './my-work.component.html?raw'

const TABS = [
  { id: 'open', words: 'In hand', states: ['claimed', 'sent_back'] },
  { id: 'submitted', words: 'Waiting for review', states: ['submitted'] },
  { id: 'accepted', words: 'Accepted', states: ['accepted'] },
  { id: 'rejected', words: 'Rejected', states: ['rejected'] },
  { id: 'gone', words: 'Returned and expired', states: ['returned', 'expired'] },
]

class MyWorkController {
  static $inject = ['Assignment', 'pages', 'live', 'clock', 'toast', '$location', '$interval']

  constructor(Assignment, pages, live, clock, toast, $location, $interval) {
    Object.assign(this, { Assignment, pages, live, clock, toast, $location, $interval })
    this.tabs = TABS
    this.categoryWords = categoryWords
  }

  $onInit() {
    this.tab = TABS.find((tab) => tab.id === this.$location.search().state) ?? TABS[0]
    this.load()
    this.loadSummary()
    this.off = this.live.on('assignment', () => this.refresh(), { every: 20, slow: 60, apart: 1000 })
    this.ticker = this.$interval(() => this.tick(), 1000)
  }

  $onDestroy() {
    this.off()
    this.$interval.cancel(this.ticker)
  }

  choose(tab) {
    this.tab = tab
    this.$location.search({ state: tab === TABS[0] ? undefined : tab.id }).replace()
    this.load()
  }

  load() {
    this.rows = null
    this.problem = null
    return this.fetch((problem) => (this.problem = problem))
  }

  refresh() {
    if (this.rows && this.rows.length <= 50) this.fetch(() => {})
    this.loadSummary()
  }

  fetch(failed) {
    const { tab } = this
    return this.Assignment.query({ state: tab.states }).$promise.then(
      (rows) => {
        if (tab !== this.tab) return
        this.rows = tab.id === 'open' ? openFirst(rows) : rows
        this.problem = null
        this.tick()
      },
      (problem) => tab === this.tab && failed(problem),
    )
  }

  loadSummary() {
    this.Assignment.summary().$promise.then(
      (summary) => (this.summary = summary),
      () => {},
    )
  }

  tick() {
    if (this.tab.id !== 'open') return
    for (const row of this.rows ?? []) {
      row.left = this.clock.secondsTo(row.expires_at)
      row.lateLeft = this.clock.secondsTo(row.late_until)
    }
  }

  count(tab) {
    if (!this.summary || tab.id === 'gone') return null
    return tab.states.reduce((sum, state) => sum + this.summary[state], 0)
  }

  more() {
    this.loadingMore = true
    this.pages
      .more(this.rows)
      .then((rows) => (this.rows = rows))
      .catch((problem) => this.toast.failed('Could not show more.', problem))
      .finally(() => (this.loadingMore = false))
  }

  giveBack(row) {
    this.Assignment.giveBack({ id: row.id }, {}).$promise.then(
      () => {
        this.toast.say('Returned. This does not count against you.')
        this.live.changed('assignment')
      },
      (problem) => this.toast.failed('It could not be returned.', problem),
    )
  }
}

/** What has least time left comes first. */
function openFirst(rows) {
  const sorted = [...rows].sort((a, b) => Date.parse(a.expires_at) - Date.parse(b.expires_at))
  sorted.$next = rows.$next
  return sorted
}

/** Everything the worker holds, has handed in, and what became of it. */
export const ghMyWork = { template, controller: MyWorkController }
