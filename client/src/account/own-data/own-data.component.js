import { signOutUrl } from '../../core/config.js'
import template from './own-data.component.html?raw'

class OwnDataController {
  static $inject = ['Me', 'session', 'download', 'toast', '$window', '$scope']

  constructor(Me, session, download, toast, $window, $scope) {
    Object.assign(this, { Me, session, download, toast, $window, $scope })
  }

  take() {
    this.taking = true
    this.bytes = 0
    const onProgress = (bytes) => this.$scope.$applyAsync(() => (this.bytes = bytes))
    this.download
      .save('/api/v1/me/export', { filename: 'guildhall-own-data.json', onProgress })
      .then(
        (file) => this.toast.say(`${file.name} is in your downloads.`),
        (problem) => this.toast.failed('Your data could not be fetched.', problem),
      )
      .finally(() => (this.taking = false))
  }

  ask() {
    Object.assign(this, { closing: true, confirm: '', forfeit: false, problem: null })
  }

  get canForfeit() {
    return this.problem.code === 'money_left' || this.problem.code === 'work_pending'
  }

  close() {
    this.busy = true
    const body = { confirm: this.confirm.trim(), ...(this.forfeit ? { forfeit: true } : {}) }
    this.Me.close({}, body)
      .$promise.then(
        () => {
          this.session.forget()
          this.$window.location.assign(signOutUrl())
        },
        (problem) => (this.problem = problem),
      )
      .finally(() => (this.busy = false))
  }
}

/** Take out everything held about oneself, or close the account. */
export const ghOwnData = { template, controller: OwnDataController }
