import template from './review-page.component.html?raw'
import { setTitle } from '../../core/core.module.js'
import { labelKeys, withSchemas } from '../../projects/schemas.js'
import { answerSummary, taskName, valueText } from '../answer-text.js'
import { bulkFilterOf, filterOf, isNarrowed, queryOf, wordsOf } from '../review-filter.js'
import { actOf, neighbour, nextWaiting } from '../review-keys.js'
import './review-page.css'

const SEARCH_AFTER_MS = 350
const ROLLED_UP_AFTER_MS = 1500
const CLOCK_ERROR_MS = 10_000
const NARROW = '(max-width: 900px)'
const STATES = ['submitted', 'accepted', 'rejected', 'sent_back']
const DONE = { accept: 'Accepted and paid.', reject: 'Rejected.', sendBack: 'Sent back.' }

/** The review table with one answer open beside it. Decisions by button or key, one by one or all that a filter shows. */
class ReviewPageController {
  static $inject = ['Review', 'Project', 'pages', 'live', 'notifications', 'toast', 'clock', '$routeParams', '$location', '$timeout', '$window', '$scope', '$element', '$q']

  constructor(Review, Project, pages, live, notifications, toast, clock, $routeParams, $location, $timeout, $window, $scope, $element, $q) {
    Object.assign(this, { Review, Project, pages, live, notifications, toast, clock, $location, $timeout, $window, $scope, $q, id: $routeParams.id })
    this.host = $element[0]
    this.count = 0
    this.readAddress()
    this.versions = {}
    this.onKey = (event) => this.keyPressed(event)
  }

  $onInit() {
    this.$window.document.addEventListener('keydown', this.onKey)
    this.off = this.live.on('assignment', (event, events) => this.happened(events), { every: 20, slow: 60, lag: ROLLED_UP_AFTER_MS, apart: 1000 })
    this.unwatch = this.notifications.watch(this.id)
    this.loadProject()
    this.load()
  }

  $onDestroy() {
    this.off()
    this.unwatch()
    this.$window.document.removeEventListener('keydown', this.onKey)
    this.$timeout.cancel(this.searching)
    this.$timeout.cancel(this.recounting)
  }

  /** Back, forward and links to this page with another filter. */
  $doCheck() {
    if (this.$location.path() !== this.path || this.$location.url() === this.url) return
    this.readAddress()
    this.showOptions()
    this.load()
  }

  readAddress() {
    this.path = this.$location.path()
    this.url = this.$location.url()
    this.filter = filterOf(this.$location.search())
  }

  loadProject() {
    this.Project.progress({ id: this.id }).$promise.then((progress) => (this.progress = progress), () => {})
    return this.Project.get({ id: this.id }).$promise.then(
      (project) => {
        this.project = project
        this.version ??= withSchemas(project.published || project.draft)
        this.keys = labelKeys(this.version.answer_schema)
        this.showOptions()
        const { counts } = project
        this.answersIn = counts.submitted + counts.sent_back + counts.accepted + counts.rejected
        setTitle(this.$window.document, `Review · ${project.title}`)
      },
      (problem) => (this.failed ??= this.project ? null : problem),
    )
  }

  happened(events = []) {
    const ours = events.filter(({ data }) => data.project === this.id)
    if (events.length && !ours.length) return
    if (this.rows?.length === 0) this.load()
    this.follow(ours)
    this.look()
  }

  /** What others decided, or workers did again, shows in its place. The open one is left alone: somebody may be typing. */
  follow(events) {
    const states = new Map(events.map(({ subject, event }) => [subject, event.split('.')[1]]))
    const changed = (row) => states.has(row.id) && STATES.includes(states.get(row.id)) && states.get(row.id) !== row.state
    for (const row of (this.rows ?? []).filter(changed)) {
      const state = states.get(row.id)
      if (state === 'submitted') this.Review.get({ id: row.id }).$promise.then((whole) => this.rows && this.replace(whole), () => {})
      else this.replace({ ...row, state })
      if (row.id === this.openId && this.open?.state !== state) this.openMoved = state
    }
  }

  reopen() {
    this.openRow(this.rows.find((row) => row.id === this.openId))
  }

  /** What came in meanwhile is announced, not put into the table: nobody's place in it moves. */
  look() {
    this.loadProject()
    if (!this.rows) return
    const asked = this.count
    const since = new Date(this.loadedAt - CLOCK_ERROR_MS).toISOString()
    const known = (row) => this.rows.some((other) => other.id === row.id && other.submitted_at === row.submitted_at)
    this.Review.ofProject({ project: this.id, ...queryOf(this.filter), submitted_after: since, limit: 200 }).$promise.then(
      (rows) => {
        if (asked === this.count && this.rows) this.arrived = rows.filter((row) => !known(row)).length
      },
      () => {},
    )
  }

  /** The counts are rolled up from what happened, a moment later. */
  recount() {
    this.loadProject()
    this.$timeout.cancel(this.recounting)
    this.recounting = this.$timeout(() => this.loadProject(), ROLLED_UP_AFTER_MS)
  }

  load() {
    const asked = (this.count += 1)
    Object.assign(this, { rows: null, failed: null, arrived: 0, loadedAt: this.clock.now() })
    this.Review.ofProject({ project: this.id, ...queryOf(this.filter) }).$promise.then(
      (rows) => {
        if (asked !== this.count) return
        this.rows = rows
        if (!rows.some((row) => row.id === this.openId)) this.openRow(this.isNarrow ? null : rows[0])
      },
      (problem) => {
        if (asked === this.count) this.failed = problem
      },
    )
  }

  retry() {
    this.loadProject()
    this.load()
  }

  more() {
    this.busyMore = true
    return this.pages
      .more(this.rows)
      .then((rows) => (this.rows = rows), (problem) => this.toast.failed('The rest could not be loaded.', problem))
      .finally(() => (this.busyMore = false))
  }

  // Filter

  filtered() {
    const cleared = { state: null, worker: null, task: null, q: null, late: null, order: null }
    const search = this.$location.search()
    for (const name of Object.keys(search)) if (name.startsWith('answer.')) cleared[name] = null
    for (const [name, value] of Object.entries({ ...cleared, ...queryOf(this.filter) })) this.$location.search(name, value)
    this.url = this.$location.replace().url()
    this.openId = null
    this.open = null
    this.load()
  }

  typed() {
    this.$timeout.cancel(this.searching)
    this.searching = this.$timeout(() => this.filtered(), SEARCH_AFTER_MS)
  }

  showOptions() {
    const part = this.version?.answer_schema.properties?.[this.filter.answerKey]
    this.options = part?.enum?.map((value) => ({ value: String(value), label: this.sayValue(this.filter.answerKey, value) }))
  }

  keyChosen() {
    this.showOptions()
    if (this.filter.answerValue !== '') {
      this.filter.answerValue = ''
      this.filtered()
    }
  }

  clear() {
    this.narrowTo({})
  }

  narrowTo(changes) {
    this.filter = { ...filterOf({}), ...changes }
    this.showOptions()
    this.filtered()
  }

  get isNarrowed() {
    return isNarrowed(this.filter) || Boolean(this.filter.state)
  }

  sayValue(key, value) {
    return valueText(value, this.version?.interface?.elements?.find((element) => element.key === key))
  }

  nameOf(row) {
    return taskName(row.task)
  }

  summaryOf(row) {
    return answerSummary(row.answer, this.version)
  }

  // The open one

  get isNarrow() {
    return Boolean(this.$window.matchMedia?.(NARROW).matches)
  }

  openRow(row) {
    this.openId = row?.id ?? null
    this.open = null
    this.openMoved = null
    this.openFailed = null
    if (!row) {
      this.shown = null
      return
    }
    const { id } = row
    this.$timeout(() => this.host.querySelector('tr[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' }), 0, false)
    this.Review.get({ id }).$promise.then(
      (whole) => this.openId === id && this.show(whole),
      (problem) => this.openId === id && this.openFails(problem),
    )
  }

  openFails(problem) {
    this.openFailed = problem
    this.shown = null
  }

  show(whole) {
    this.Review.version({ version: whole.version }).$promise.then(
      (version) => {
        if (this.openId !== whole.id) return
        this.openVersion = version
        this.open = whole
        this.shown = whole
      },
      (problem) => this.openId === whole.id && this.openFails(problem),
    )
  }

  close() {
    const id = this.openId
    this.openRow(null)
    this.$timeout(() => this.host.querySelector(`[data-row="${id}"] button`)?.focus(), 0, false)
  }

  step(by) {
    const next = neighbour(this.rows || [], this.openId, by)
    if (next && next.id !== this.openId) {
      if (next === this.rows.at(-1) && this.rows.$next && !this.busyMore) this.more()
      this.openRow(next)
    }
  }

  keyPressed(event) {
    if (this.$window.document.querySelector('dialog[open]')) return
    const act = actOf(event)
    if (!act || !this.rows?.length) return
    if (act === 'close' && !(this.isNarrow && this.openId)) return
    if (['next', 'previous'].includes(act) && event.target.closest?.('pre, [role=region], fieldset, iframe')) return
    event.preventDefault()
    this.$scope.$applyAsync(() => {
      if (act === 'next') this.step(1)
      else if (act === 'previous') this.step(-1)
      else if (act === 'close') this.close()
      else if (this.open) this.pressed = { act, at: Date.now() }
    })
  }

  /** A verb on the open answer. Resolves after it is done; the table goes on to the next that waits. */
  decide(verb, body) {
    const row = this.open
    // The one before is still shown while the next is on its way: nothing may be decided about it.
    if (!row) return this.$q.resolve()
    return this.Review[verb]({ id: row.id }, body).$promise.then((whole) => {
      this.replace(whole)
      this.toast.say(DONE[verb] ?? 'Paid.')
      this.live.changed('purse')
      this.recount()
      const next = nextWaiting(this.rows, row.id)
      if (next && !this.isNarrow) this.openRow(next)
      else if (this.openId === row.id) this.openRow(whole)
    })
  }

  /** Money beyond the reward; its answer is the transfer, so the assignment is read again. */
  pay(verb, body) {
    if (!this.open) return this.$q.resolve()
    const { id } = this.open
    return this.Review[verb]({ id }, body).$promise.then(() => {
      this.toast.say('Paid.')
      this.live.changed('purse')
      if (this.openId === id) this.openRow({ id })
    })
  }

  replace(whole) {
    const rows = this.rows.map((row) => (row.id === whole.id ? whole : row))
    rows.$next = this.rows.$next
    this.rows = rows
  }

  // All of them

  get bulkWords() {
    return wordsOf(this.filter, (key, value) => this.sayValue(key, value))
  }

  get showsSubmitted() {
    return !this.filter.state || this.filter.state === 'submitted'
  }

  /** Opens the dialog that rejects or sends back all that are shown, as they are shown now. */
  decideMany(verb) {
    this.manyFilter = { ...this.filter }
    this.manyVerb = verb
  }

  manyDone(words) {
    if (words) this.toast.say(words)
    this.recount()
    this.load()
  }

  askMany() {
    this.counting = true
    const filter = bulkFilterOf(this.filter)
    // A bulk act that expects none does nothing, and answers how many there are.
    this.Review.acceptMany({ project: this.id }, { filter, expect: 0 })
      .$promise.then(
        () => this.toast.say('No submitted answer matches now.'),
        (problem) => {
          if (problem.code === 'changed_meanwhile') this.many = { filter, count: problem.body.matching, words: this.bulkWords }
          else this.toast.failed('They could not be counted.', problem)
        },
      )
      .finally(() => (this.counting = false))
  }

  acceptMany() {
    const { filter, count } = this.many
    this.acceptingMany = true
    this.Review.acceptMany({ project: this.id }, { filter, expect: count })
      .$promise.then(
        (done) => {
          this.many = null
          this.toast.say(`${done.accepted} ${done.accepted === 1 ? 'answer' : 'answers'} accepted and paid.`)
          this.live.changed('purse')
          this.recount()
          this.load()
        },
        (problem) => {
          if (problem.code === 'changed_meanwhile') {
            this.many = { ...this.many, count: problem.body.matching, changed: true }
          } else this.many = { ...this.many, failed: problem }
        },
      )
      .finally(() => (this.acceptingMany = false))
  }
}

export const ghReviewPage = { template, controller: ReviewPageController }
