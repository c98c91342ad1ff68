import './bar.css'
import template from './bar.component.html?raw'

const WORK_PAGES = [
  { path: '/feed', words: 'Find work', also: ['/assignments'] },
  { path: '/work', words: 'My work', counted: true },
  { path: '/earnings', words: 'Earnings' },
]
const REQUEST_PAGES = [{ path: '/projects', words: 'My projects' }]
const SHARED_PAGES = [{ path: '/purses', words: 'Purse' }]
const SUMMARY_SECONDS = 60
// The bar hears of the answers in all projects of the user, too.
const APART_MS = 3000

class BarController {
  static $inject = ['$location', '$http', '$window', '$scope', 'live', 'session']

  constructor($location, $http, $window, $scope, live, session) {
    Object.assign(this, { $location, $http, $window, $scope, live, session })
    this.summary = null
  }

  $onInit() {
    this.off = this.live.on('assignment', () => this.load(), { every: SUMMARY_SECONDS, apart: APART_MS })
    this.watchNetwork = () => this.$scope.$applyAsync(() => (this.offline = !this.$window.navigator.onLine))
    this.$window.addEventListener('online', this.watchNetwork)
    this.$window.addEventListener('offline', this.watchNetwork)
    this.session.settled().then(() => {
      this.known = true
      this.load()
    })
  }

  $onDestroy() {
    this.off()
    this.$window.removeEventListener('online', this.watchNetwork)
    this.$window.removeEventListener('offline', this.watchNetwork)
  }

  load() {
    if (!this.session.uses('work')) return
    // The bar is an aside: when this fails it shows less, and the page says what is wrong.
    this.$http.get('/api/v1/work/summary').then(
      ({ data }) => (this.summary = data),
      () => {},
    )
  }

  get pages() {
    const key = this.session.isSignedIn ? `in:${this.session.me.uses}` : 'out'
    if (this.pagesFor !== key) {
      this.pagesFor = key
      this.pageList = !this.session.isSignedIn
        ? []
        : [
            ...(this.session.uses('work') ? WORK_PAGES : []),
            ...(this.session.uses('request') ? REQUEST_PAGES : []),
            ...SHARED_PAGES,
          ]
    }
    return this.pageList
  }

  get open() {
    return this.summary ? this.summary.claimed + this.summary.sent_back : 0
  }

  isCurrent(page) {
    const path = this.$location.path()
    return [page.path, ...(page.also ?? [])].some((start) => path === start || path.startsWith(`${start}/`))
  }
}

/** The bar at the top of every page: where to go, by what the user uses. */
export const ghBar = { template, controller: BarController }
