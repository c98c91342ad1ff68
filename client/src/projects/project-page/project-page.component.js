import template from './project-page.component.html?raw'
import { setTitle } from '../../core/core.module.js'
import { bucketLabel, evenly, instantLabel, trimmed } from '../progress.js'
import { withSchemas } from '../schemas.js'
import './project-page.css'

const EVERY_SECONDS = 5
const SLOW_SECONDS = 20
const ROLLED_UP_AFTER_MS = 1500
const APART_MS = 1000
const VERBS = {
  pause: { done: 'Paused. Nobody can claim until you resume it.', failed: 'It could not be paused.' },
  resume: { done: 'Open again.', failed: 'It could not be resumed.' },
  close: { done: 'Closed. What was not used is back in the purse.', failed: 'It could not be closed.' },
}

/** One project as its owner sees it: how far it is, what it costs, and what can be done to it. */
class ProjectPageController {
  static $inject = ['Project', 'pages', '$routeParams', 'live', 'notifications', 'toast', 'session', '$location', '$window']

  constructor(Project, pages, $routeParams, live, notifications, toast, session, $location, $window) {
    Object.assign(this, { Project, pages, live, notifications, toast, session, $location, document: $window.document, id: $routeParams.id })
  }

  $onInit() {
    this.load()
    // The counts are rolled up from what happened, a moment later; and what is claimed is told to nobody else.
    const pace = { every: EVERY_SECONDS, slow: SLOW_SECONDS, lag: ROLLED_UP_AFTER_MS, apart: APART_MS }
    this.off = this.live.on(['project', 'assignment', 'batch'], (event, events) => this.happened(events), pace)
    this.unwatch = this.notifications.watch(this.id)
  }

  $onDestroy() {
    this.off()
    this.unwatch()
  }

  happened(events = []) {
    if (!events.length || events.some(({ data }) => data.project === this.id)) this.refresh()
  }

  load() {
    this.failed = null
    this.refresh((problem) => (this.failed = problem))
    this.loadVersions()
  }

  loadVersions() {
    this.versionsFailed = null
    this.Project.versions({ id: this.id }).$promise.then(
      (versions) => (this.versions = versions),
      (problem) => (this.versionsFailed = problem),
    )
  }

  moreVersions() {
    this.busyVersions = true
    this.pages
      .more(this.versions)
      .then((versions) => (this.versions = versions), (problem) => this.toast.failed('The rest could not be loaded.', problem))
      .finally(() => (this.busyVersions = false))
  }

  refresh(onFailure = () => {}) {
    this.Project.get({ id: this.id }).$promise.then((project) => this.take(project), onFailure)
    this.Project.progress({ id: this.id }).$promise.then(
      (progress) => this.takeProgress(progress),
      (problem) => (this.progressFailed = this.progress ? null : problem),
    )
  }

  take(project) {
    if (!project.may) {
      // A project of others, followed by its address: they are shown the offer.
      this.$location.url(`/feed/${this.id}`).replace()
      return
    }
    this.project = project
    this.version = withSchemas(project.published || project.draft)
    const { counts } = project
    this.answersIn = counts.submitted + counts.sent_back + counts.accepted + counts.rejected
    // A rejected answer is none of a place: while it can be contested its place is not open either.
    this.filled = counts.submitted + counts.sent_back + counts.accepted
    this.held = counts.claimed + counts.sent_back
    this.places = counts.open_places + counts.claimed + this.filled
    this.states = [
      { name: 'accepted', tone: 'guild', values: [counts.accepted] },
      { name: 'waiting for review', tone: 'brass', values: [counts.submitted] },
      { name: 'in work', tone: 'sky', values: [this.held] },
      { name: 'open', tone: 'faint', values: [counts.open_places] },
    ]
    setTitle(this.document, project.title)
  }

  takeProgress(progress) {
    this.progress = progress
    this.progressFailed = null
    const points = progress.submitted_over_time || []
    const span = progress.by
    const spans = evenly(points, span)
    const reach = spans.length ? Date.parse(spans.at(-1).at) - Date.parse(spans[0].at) : 0
    const timeZone = this.session.me?.timezone || undefined
    this.overTime = {
      labels: spans.map((point) => instantLabel(point.at, reach, timeZone)),
      series: [
        { name: 'submitted', tone: 'brass', values: spans.map((point) => point.submitted) },
        { name: 'accepted', tone: 'guild', values: spans.map((point) => point.accepted) },
      ],
      about: `${this.answersIn ?? ''} answers from ${progress.workers} workers, by ${span}.`,
    }
    const buckets = trimmed(progress.seconds?.histogram || [])
    this.times = {
      labels: buckets.map(bucketLabel),
      series: [{ name: 'answers', tone: 'guild', values: buckets.map((bucket) => bucket.count) }],
    }
  }

  act(verb) {
    this.acting = verb
    this.Project[verb]({ id: this.id }, {})
      .$promise.then(
        (project) => {
          this.asked = null
          this.take(project)
          this.live.changed('project')
          this.live.changed('purse')
          this.toast.say(VERBS[verb].done)
        },
        (problem) => this.toast.failed(VERBS[verb].failed, problem),
      )
      .finally(() => (this.acting = null))
  }
}

export const ghProjectPage = { template, controller: ProjectPageController }
