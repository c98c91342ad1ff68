import { setTitle } from '../../core/core.module.js'
import './project-preview.css'
import template from './project-preview.component.html?raw'

class ProjectPreviewController {
  static $inject = ['Feed', 'versions', 'start', 'toast', 'session', '$routeParams', '$document', '$location']

  constructor(Feed, versions, start, toast, session, $routeParams, $document, $location) {
    Object.assign(this, { Feed, versions, start, toast, session, $document, $location, id: $routeParams.project })
  }

  $onInit() {
    this.load()
  }

  load() {
    this.problem = null
    return this.Feed.get({ project: this.id })
      .$promise.then((card) => this.versions.get(card.version).then((version) => Object.assign(this, { card, version })))
      .then(() => setTitle(this.$document[0], this.card.title))
      .catch((problem) => (this.problem = problem))
  }

  begin() {
    this.starting = true
    this.start
      .begin(this.id)
      .catch((problem) => (this.refusal = problem))
      .finally(() => (this.starting = false))
  }

  hide() {
    this.Feed.hide({ project: this.id }, {}).$promise.then(
      () => {
        this.toast.say(`“${this.card.title}” is hidden. You find it again under “Hidden”.`)
        this.$location.url('/feed')
      },
      (problem) => this.toast.failed('It could not be hidden.', problem),
    )
  }
}

/** A project as a worker sees it before claiming: instructions, facts, and an example to try. */
export const ghProjectPreview = { template, controller: ProjectPreviewController }
