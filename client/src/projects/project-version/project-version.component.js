import { setTitle } from '../../core/core.module.js'
import { exampleInput, withSchemas } from '../schemas.js'
import { changesOf } from '../version-changes.js'
import template from './project-version.component.html?raw'
import './project-version.css'

/** One version of a project to read: what workers are told, shown and promised, and what it changed against the one before. */
class ProjectVersionController {
  static $inject = ['Project', 'pages', '$routeParams', '$location', '$window', '$q']

  constructor(Project, pages, $routeParams, $location, $window, $q) {
    Object.assign(this, { Project, pages, $location, document: $window.document, $q, id: $routeParams.id, number: Number($routeParams.number) })
  }

  $onInit() {
    this.load()
  }

  load() {
    this.failed = null
    this.$q.all([this.Project.get({ id: this.id }).$promise, this.Project.versions({ id: this.id }).$promise.then((list) => this.reach(list))]).then(
      ([project, versions]) => this.take(project, versions),
      (problem) => (this.failed = problem),
    )
    this.findSample()
  }

  /** Pages of the list, newest first, until the wanted version and the one before it are there. */
  reach(list) {
    const isThere = list.some((version) => version.number < this.number)
    return isThere || !list.$next ? list : this.pages.more(list).then((longer) => this.reach(longer))
  }

  take(project, versions) {
    if (!project.may) {
      this.$location.url(`/feed/${this.id}`).replace()
      return
    }
    this.project = project
    const at = versions.findIndex((version) => version.number === this.number)
    if (at < 0) {
      this.isMissing = true
      return
    }
    this.version = withSchemas(versions[at])
    this.later = versions[at - 1]
    this.earlier = versions[at + 1]
    this.changes = this.earlier && changesOf(this.earlier, versions[at])
    this.isSame = this.changes && !this.changes.values.length && !this.changes.texts.length
    this.columns = Object.keys(this.version.input_schema.properties || {})
    this.answers = Object.keys(this.version.answer_schema.properties || {})
    this.schemas = [
      { name: 'Input', text: JSON.stringify(this.version.input_schema, null, 2) },
      { name: 'Answer', text: JSON.stringify(this.version.answer_schema, null, 2) },
    ]
    this.example = exampleInput(this.version.input_schema, this.version.interface?.elements)
    this.isCurrent = project.published?.number === this.number
    setTitle(this.document, `Version ${this.number} · ${project.title}`)
  }

  /** The first task, so that the preview shows real data where there is some. */
  findSample() {
    this.Project.tasks({ id: this.id, limit: 1 }).$promise.then(
      (tasks) => (this.sample = tasks[0]?.input),
      () => (this.sample = undefined),
    )
  }
}

export const ghProjectVersion = { template, controller: ProjectVersionController }
