import template from './results-page.component.html?raw'
import { setTitle } from '../../core/core.module.js'
import { taskName, valueText } from '../../reviews/answer-text.js'
import { bytesText } from '../../shared/bytes/bytes.js'
import './results-page.css'

const TONES = ['guild', 'brass', 'sky', 'brick', 'faint']
const MOST_CLASSES = 30

/** What the answers come to: one label for each task, how sure it is, who answers well, and the files. */
class ResultsPageController {
  static $inject = ['Result', 'Project', 'download', 'toast', 'pages', '$routeParams', '$location', '$window']

  constructor(Result, Project, download, toast, pages, $routeParams, $location, $window) {
    Object.assign(this, { Result, Project, downloads: download, toast, pages, $location, $window, id: $routeParams.id })
    this.readAddress()
    this.file = { format: 'csv', aggregate: 'none' }
    this.count = 0
  }

  $onInit() {
    this.Project.get({ id: this.id }).$promise.then(
      (project) => {
        this.project = project
        this.version = project.published || project.draft
        setTitle(this.$window.document, `Results · ${project.title}`)
        this.load()
      },
      (problem) => (this.failed = problem),
    )
  }

  /** Back, forward and links to this page with another choice. */
  $doCheck() {
    if (!this.project || this.$location.path() !== this.path || this.$location.url() === this.url) return
    this.readAddress()
    this.load()
  }

  readAddress() {
    this.path = this.$location.path()
    this.url = this.$location.url()
    const { aggregate, key = '', state = '' } = this.$location.search()
    this.choice = { aggregate: aggregate === 'dawid_skene' ? aggregate : 'majority', key, state }
  }

  get query() {
    const { aggregate, key, state } = this.choice
    return { id: this.id, aggregate, key: key || undefined, state: state || undefined }
  }

  choose() {
    const { aggregate, key, state } = this.choice
    this.$location.search({ aggregate: aggregate === 'majority' ? null : aggregate, key: key || null, state: state || null }).replace()
    this.url = this.$location.url()
    this.load()
  }

  load() {
    const asked = (this.count += 1)
    Object.assign(this, { busy: true, failed: null, workersFailed: null, worker: null })
    this.Result.summary(this.query)
      .$promise.then(
        (summary) => asked === this.count && this.take(summary),
        (problem) => {
          if (asked === this.count) this.failed = problem
        },
      )
      .finally(() => asked === this.count && (this.busy = false))
    this.Result.workers(this.query).$promise.then(
      (workers) => asked === this.count && (this.workers = workers),
      (problem) => asked === this.count && (this.workersFailed = problem),
    )
  }

  retry() {
    if (this.project) this.load()
    else {
      this.failed = null
      this.$onInit()
    }
  }

  take(summary) {
    this.summary = summary
    this.choice.key = summary.key || ''
    const element = this.version.interface?.elements?.find((one) => one.key === summary.key)
    this.say = (label) => valueText(label, element)
    const distribution = Object.entries(summary.distribution || {}).sort((a, b) => b[1] - a[1])
    this.fewClasses = distribution.length <= TONES.length
    const shown = distribution.slice(0, MOST_CLASSES)
    this.distribution = this.fewClasses
      ? { kind: 'share', series: shown.map(([label, count], index) => ({ name: this.say(label), tone: TONES[index], values: [count] })) }
      : { kind: 'bars', labels: shown.map(([label]) => this.say(label)), series: [{ name: 'tasks', tone: 'guild', values: shown.map(([, count]) => count) }] }
    this.onlyTies = false
  }

  get labels() {
    if (!this.onlyTies) return this.summary.labels
    if (this.tiedOf !== this.summary) {
      this.tiedOf = this.summary
      this.tied = this.summary.labels.filter((label) => label.tie)
    }
    return this.tied
  }

  nameOf(label) {
    return taskName(label)
  }

  tieText(label) {
    return label.tie.map((one) => this.say(one)).join(', ')
  }

  moreWorkers() {
    this.busyWorkers = true
    this.pages
      .more(this.workers)
      .then((workers) => (this.workers = workers), (problem) => this.toast.failed('The rest could not be loaded.', problem))
      .finally(() => (this.busyWorkers = false))
  }

  save() {
    const { format, aggregate } = this.file
    const { key, state } = this.choice
    this.progress = 'starting…'
    this.downloads
      .save(`/api/v1/projects/${this.id}/results`, {
        params: { format, aggregate, key: aggregate === 'none' ? undefined : key || undefined, state: state || undefined },
        filename: `results.${format}`,
        onProgress: (bytes) => (this.progress = `${bytesText(bytes)} so far`),
      })
      .then(
        ({ size }) => this.toast.say(`Downloaded ${bytesText(size)}.`),
        (problem) => this.toast.failed('The results could not be downloaded.', problem),
      )
      .finally(() => (this.progress = null))
  }
}

export const ghResultsPage = { template, controller: ResultsPageController }
