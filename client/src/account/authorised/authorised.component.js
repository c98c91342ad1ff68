import { scopeWords } from '../scopes.js'
import template from './authorised.component.html?raw'

class AuthorisedController {
  static $inject = ['AuthorisedApplication', 'toast']

  constructor(AuthorisedApplication, toast) {
    Object.assign(this, { AuthorisedApplication, toast, scopeWords })
  }

  $onInit() {
    this.load()
  }

  load() {
    this.problem = null
    return this.AuthorisedApplication.query().$promise.then(
      (applications) => (this.applications = applications),
      (problem) => (this.problem = problem),
    )
  }

  revoke() {
    const application = this.revoking
    this.busy = true
    this.AuthorisedApplication.delete({ id: application.id })
      .$promise.then(
        () => {
          this.toast.say(`${application.name} can no longer act in your name.`)
          return this.load()
        },
        (problem) => this.toast.failed('It could not be revoked.', problem),
      )
      .finally(() => {
        this.busy = false
        this.revoking = null
      })
  }
}

/** Applications that the user has let act in their name, and what each may do. */
export const ghAuthorised = { template, controller: AuthorisedController }
