import template from './project-new.component.html?raw'
import { EMPTY, STARTING_POINTS } from '../starting-points.js'
import './project-new.css'

/** Begins a project: a title and a starting point make the draft, everything else is written in the editor. */
class ProjectNewController {
  static $inject = ['Project', '$http', '$location', 'session']

  constructor(Project, $http, $location, session) {
    Object.assign(this, { Project, $http, $location, session })
    this.points = [...STARTING_POINTS, EMPTY]
    this.point = STARTING_POINTS[0].id
    this.title = ''
    this.errors = {}
  }

  $onInit() {
    this.$http.get('/api/v1/collectives').then(
      ({ data }) => {
        this.collectives = data.filter((one) => one.kind !== 'hall')
        this.collective = this.collectives.find((one) => one.kind === 'solo')?.id || this.collectives[0]?.id
      },
      () => (this.collectives = []),
    )
  }

  create() {
    if (!this.title.trim()) {
      this.errors = { title: 'Give it a title; you can change it later.' }
      return
    }
    this.errors = {}
    this.failed = null
    this.busy = true
    const { version } = this.points.find((point) => point.id === this.point)
    const blank = !version.interface.elements.length
    const body = { title: this.title.trim(), ...(blank ? {} : version) }
    if (this.collective) body.collective = this.collective
    this.Project.create(body)
      .$promise.then(
        (project) => this.$location.url(`/projects/${project.id}/edit`).replace(),
        (problem) => {
          this.errors = problem.fields || {}
          if (!this.errors.title) this.failed = problem
        },
      )
      .finally(() => (this.busy = false))
  }
}

export const ghProjectNew = { template, controller: ProjectNewController }
