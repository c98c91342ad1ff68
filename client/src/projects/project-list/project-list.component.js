import template from './project-list.component.html?raw'
import './project-list.css'

const SEARCH_AFTER_MS = 300

/** All projects of the user's collectives. The filter stands in the address. */
class ProjectListController {
  static $inject = ['Project', 'pages', 'live', '$location', '$timeout']

  constructor(Project, pages, live, $location, $timeout) {
    Object.assign(this, { Project, pages, live, $location, $timeout })
    this.count = 0
    this.readAddress()
  }

  $onInit() {
    this.load()
    const pace = { every: 20, slow: 60, lag: 1500, apart: 3000 }
    this.off = this.live.on(['project', 'assignment', 'batch'], () => this.load({ quietly: true }), pace)
  }

  $onDestroy() {
    this.off()
    this.$timeout.cancel(this.searching)
  }

  /** Back, forward and links to this page with another filter. */
  $doCheck() {
    if (this.$location.path() !== this.path || this.$location.url() === this.url) return
    this.readAddress()
    this.load()
  }

  readAddress() {
    this.path = this.$location.path()
    this.url = this.$location.url()
    const { state = '', q = '' } = this.$location.search()
    this.filter = { state, q }
  }

  get isFiltered() {
    return Boolean(this.filter.state || this.filter.q)
  }

  load({ quietly = false } = {}) {
    // A list with further pages open is left as it is: a refetch would fold it up under the reader.
    if (quietly && this.list?.length > 50) return
    const asked = (this.count += 1)
    if (!quietly) Object.assign(this, { list: null, failed: null })
    const { state, q } = this.filter
    this.Project.query({ state: state || undefined, q: q || undefined }).$promise.then(
      (list) => {
        if (asked === this.count) Object.assign(this, { list, failed: null })
      },
      (problem) => {
        if (asked === this.count && !this.list) this.failed = problem
      },
    )
  }

  filtered() {
    this.$location.search({ state: this.filter.state || null, q: this.filter.q || null }).replace()
    this.url = this.$location.url()
    this.load()
  }

  typed() {
    this.$timeout.cancel(this.searching)
    this.searching = this.$timeout(() => this.filtered(), SEARCH_AFTER_MS)
  }

  more() {
    this.busy = true
    this.pages
      .more(this.list)
      .then((list) => (this.list = list), (problem) => (this.failed = problem))
      .finally(() => (this.busy = false))
  }

  addressOf(project) {
    return project.state === 'draft' && project.may.edit ? `/projects/${project.id}/edit` : `/projects/${project.id}`
  }

  doneOf(project) {
    return project.counts.accepted + project.counts.submitted + project.counts.sent_back
  }
}

export const ghProjectList = { template, controller: ProjectListController }
