import template from './project-editor.component.html?raw'
import { STEPS, stepsWith } from '../editor-steps.js'
import { withSchemas } from '../schemas.js'
import './project-editor.css'

const SAVE_AFTER_MS = 800
const FIELDS = [
  'title', 'summary', 'instructions', 'interface', 'input_schema', 'answer_schema', 'reward', 'assignments_per_task',
  'claim_lasts', 'auto_accept_after', 'max_tasks_per_worker', 'keywords', 'expected_minutes',
]

/**
 * Writes a project, step by step. What is changed is kept by itself as the draft version, one PATCH at a time;
 * a refused change stays on the page with its reason and is sent again with the next one.
 */
class ProjectEditorController {
  static $inject = ['Project', 'Purse', '$routeParams', '$location', '$timeout', '$window', 'toast']

  constructor(Project, Purse, $routeParams, $location, $timeout, $window, toast) {
    Object.assign(this, { Project, Purse, $location, $timeout, $window, toast, id: $routeParams.id })
    this.pending = {}
    this.errors = {}
    this.beforeUnload = (event) => {
      if (this.isUnsaved) event.preventDefault()
    }
  }

  $onInit() {
    this.$window.addEventListener('beforeunload', this.beforeUnload)
    this.load()
  }

  $onDestroy() {
    this.$window.removeEventListener('beforeunload', this.beforeUnload)
    this.isLeft = true
    this.save()
    this.$timeout.cancel(this.saving)
  }

  load() {
    this.failed = null
    this.Project.get({ id: this.id }).$promise.then(
      (project) => {
        if (!project.may) {
          this.$location.url(`/feed/${this.id}`).replace()
          return
        }
        if (!project.may.edit && !project.may.import) {
          this.$location.url(`/projects/${this.id}`).replace()
          return
        }
        this.take(project)
        this.version = withSchemas(Object.fromEntries(FIELDS.map((name) => [name, this.source[name]])))
        this.html = this.source.instructions_html
        this.findSample()
        this.askQuote()
      },
      (problem) => (this.failed = problem),
    )
  }

  take(project) {
    this.project = project
    this.source = project.draft || project.published
    if (this.version) this.html = this.source.instructions_html
  }

  /** The first task's input, so that the preview shows real data as soon as there is some. */
  findSample() {
    this.Project.tasks({ id: this.id, limit: 1 }).$promise.then(
      (tasks) => (this.sample = tasks[0]?.input),
      () => (this.sample = undefined),
    )
  }

  // Saving

  get isUnsaved() {
    return Boolean(this.busy) || Object.keys(this.pending).length > 0
  }

  /** Called by the steps. Returns the version as it is now, so that a step knows its own change when it comes back. */
  change(changes) {
    this.version = { ...this.version, ...changes }
    Object.assign(this.pending, changes)
    this.$timeout.cancel(this.saving)
    this.saving = this.$timeout(() => this.save(), SAVE_AFTER_MS)
    return this.version
  }

  save() {
    this.$timeout.cancel(this.saving)
    if (this.busy) return this.busy.then(() => this.save())
    const sent = this.pending
    if (!Object.keys(sent).length) return Promise.resolve()
    this.pending = {}
    this.busy = this.Project.change({ id: this.id }, sent)
      .$promise.then(
        (project) => {
          this.take(project)
          this.errors = {}
          this.refusal = null
          this.savedAt = new Date().toISOString()
          this.askQuote()
        },
        (problem) => {
          this.pending = { ...sent, ...this.pending }
          this.refusal = problem
          this.errors = problem.fields || {}
          if (this.isLeft) this.toast.failed('Your last change to the project is not saved.', problem)
        },
      )
      .finally(() => (this.busy = null))
    return this.busy
  }

  get saveState() {
    if (this.busy) return 'saving'
    if (this.refusal) return 'refused'
    if (this.isUnsaved) return 'waiting'
    return this.savedAt ? 'saved' : 'same'
  }

  askQuote() {
    return this.Project.quote({ id: this.id }).$promise.then(
      (quote) => (this.quote = quote),
      (problem) => (this.quoteProblem = problem),
    )
  }

  // Steps

  get step() {
    const asked = this.$location.search().step
    return STEPS.some((step) => step.id === asked) ? asked : 'describe'
  }

  get steps() {
    const key = JSON.stringify([this.quote?.problems, this.step])
    if (key !== this.stepsKey) {
      this.stepsKey = key
      this.stepList = stepsWith({ id: this.id, problems: this.quote?.problems, touched: this.step === 'publish' })
    }
    return this.stepList
  }

  get nextStep() {
    const at = STEPS.findIndex((step) => step.id === this.step)
    return STEPS[at + 1]
  }

  get previousStep() {
    const at = STEPS.findIndex((step) => step.id === this.step)
    return STEPS[at - 1]
  }

  go(step) {
    this.save()
    this.$location.search('step', step.id)
    this.$window.scrollTo?.(0, 0)
    this.$timeout(() => this.$window.document.querySelector('.editor-step h2')?.focus(), 0, false)
  }

  imported() {
    this.findSample()
    this.load()
  }

  published(project) {
    this.toast.say(project.state === 'published' ? 'Published. Workers can see it now.' : 'Published as a new version.')
    this.$location.url(`/projects/${this.id}`)
  }

  remove() {
    this.removing = true
    const wasPublished = Boolean(this.project.published)
    this.Project[wasPublished ? 'discard' : 'delete']({ id: this.id })
      .$promise.then(
        () => {
          this.pending = {}
          this.toast.say(wasPublished ? 'The changes are gone.' : 'The draft is gone.')
          this.$location.url(wasPublished ? `/projects/${this.id}` : '/projects')
        },
        (problem) => this.toast.failed('It could not be done.', problem),
      )
      .finally(() => (this.removing = false))
  }
}

export const ghProjectEditor = { template, controller: ProjectEditorController }
