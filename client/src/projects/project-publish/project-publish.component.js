import template from './project-publish.component.html?raw'
import { stepOf, STEPS } from '../editor-steps.js'
import './project-publish.css'

/** The last step: all of it on one page, what is still missing, the price, and the button that says what it does. */
class ProjectPublishController {
  static $inject = ['Project', 'Purse']

  constructor(Project, Purse) {
    Object.assign(this, { Project, Purse })
  }

  $onInit() {
    this.onRefresh()
    this.Purse.query().$promise.then(
      (purses) => {
        this.purse = purses.find((purse) => purse.kind === 'purse' && purse.collective?.id === this.project.collective.id)
      },
      () => (this.purse = null),
    )
  }

  $onChanges() {
    const problems = (this.quote?.problems || []).filter((problem) => problem.code !== 'insufficient_funds')
    this.problems = problems.map((problem) => {
      const step = STEPS.find((one) => one.id === stepOf(problem.field))
      return { ...problem, step: step.id === 'publish' ? null : step }
    })
    this.hasNothing = Boolean(this.project.published && !this.project.draft)
    this.change = this.quote && { ...this.quote.total, amount: Math.abs(this.quote.total.amount) }
    this.missing = this.quote?.missing?.amount > 0 ? this.quote.missing : null
  }

  get isReady() {
    return this.quote && !this.problems.length && !this.missing && !this.unsaved && !this.hasNothing
  }

  get depositAddress() {
    if (!this.purse) return '/purses'
    return `/purses/${this.purse.id}?deposit=${this.missing?.amount || ''}`
  }

  publish() {
    this.failed = null
    this.publishing = true
    this.Project.publish({ id: this.project.id }, {})
      .$promise.then(
        (project) => this.onPublished({ project }),
        (problem) => {
          this.failed = problem
          this.onRefresh()
        },
      )
      .finally(() => (this.publishing = false))
  }
}

export const ghProjectPublish = {
  template,
  controller: ProjectPublishController,
  bindings: { project: '<', version: '<', html: '<', sample: '<', quote: '<', problem: '<', unsaved: '<', onRefresh: '&', onPublished: '&' },
}
