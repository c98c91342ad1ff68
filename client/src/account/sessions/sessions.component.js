import { browserName } from './browser-name.js'
import template from './sessions.component.html?raw'

class SessionsController {
  static $inject = ['Session', 'session', 'toast']

  constructor(Session, session, toast) {
    Object.assign(this, { Session, session, toast, browserName })
  }

  $onInit() {
    this.load()
  }

  load() {
    this.problem = null
    return this.Session.query().$promise.then(
      (sessions) => (this.sessions = sessions),
      (problem) => (this.problem = problem),
    )
  }

  end(row) {
    if (row.current) {
      this.session.signOut()
      return
    }
    this.ending = row.id
    this.Session.delete({ id: row.id })
      .$promise.then(
        () => {
          this.toast.say('That browser is signed out.')
          return this.load()
        },
        (problem) => this.toast.failed('It could not be signed out.', problem),
      )
      .finally(() => (this.ending = null))
  }
}

/** The browsers in which the user is signed in. */
export const ghSessions = { template, controller: SessionsController }
