import './home.css'
import template from './home.component.html?raw'

class HomeController {
  static $inject = ['$http', '$q', 'session', 'live']

  constructor($http, $q, session, live) {
    Object.assign(this, { $http, $q, session, live })
  }

  $onInit() {
    if (!this.session.isSignedIn) return
    this.load()
    this.off = this.live.on(['assignment', 'project', 'batch', 'deposit', 'payout'], () => this.load(), { every: 60, lag: 1500, apart: 3000 })
  }

  $onDestroy() {
    this.off?.()
  }

  load() {
    const calls = {}
    if (this.session.uses('work')) {
      calls.summary = this.get('/api/v1/work/summary')
      calls.feed = this.get('/api/v1/feed', { limit: 3, sort: 'wage' })
    }
    if (this.session.uses('request')) {
      calls.projects = this.get('/api/v1/projects', { limit: 20 })
      calls.purses = this.get('/api/v1/purses')
    }
    return this.$q.all(calls).then(
      (found) => {
        Object.assign(this, found, { problem: null, loaded: true })
        this.waiting = (found.projects ?? []).filter((project) => project.counts?.submitted > 0).slice(0, 3)
        this.drafts = (found.projects ?? []).filter((project) => project.state === 'draft').slice(0, 3)
        this.running = (found.projects ?? []).filter((project) => project.state === 'published').length
        this.purse = (found.purses ?? []).find((purse) => purse.kind === 'purse')
      },
      (problem) => {
        this.problem = problem
      },
    )
  }

  get(url, params) {
    return this.$http.get(url, { params }).then((response) => response.data)
  }
}

/** The start: what Guildhall is for somebody new, what to do next for somebody signed in. */
export const ghHome = { template, controller: HomeController }
