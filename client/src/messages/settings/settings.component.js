import './settings.css'
import template from './settings.component.html?raw'

const ADDRESS = '/api/v1/messages/settings'

class MessageSettingsController {
  static $inject = ['$http', 'toast']

  constructor($http, toast) {
    Object.assign(this, { $http, toast })
  }

  $onInit() {
    this.load()
  }

  load() {
    this.problem = null
    return this.$http.get(ADDRESS).then(({ data }) => (this.settings = data), (problem) => (this.problem = problem))
  }

  save() {
    const { digest } = this.settings
    this.busy = true
    this.$http
      .patch(ADDRESS, { digest })
      .then(
        () => this.toast.say(digest ? 'You will get mail about what you have not read.' : 'You will get no such mail any more.'),
        (problem) => {
          this.settings.digest = !digest
          this.toast.failed('That could not be changed.', problem)
        },
      )
      .finally(() => (this.busy = false))
  }
}

export const ghMessageSettings = { template, controller: MessageSettingsController }
