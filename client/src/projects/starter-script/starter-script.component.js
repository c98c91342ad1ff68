import template from './starter-script.component.html?raw'
import { curlScript, pythonScript } from './starter-script.js'

/** What a program needs to work with this project, ready to copy. */
class StarterScriptController {
  static $inject = ['$window', 'toast', '$scope']

  constructor($window, toast, $scope) {
    Object.assign(this, { $window, toast, $scope })
    this.language = 'curl'
  }

  $onChanges() {
    this.write()
  }

  write() {
    const columns = Object.keys(this.version?.input_schema?.properties || {})
    const given = { origin: this.$window.location.origin, id: this.projectId, columns }
    this.text = this.language === 'curl' ? curlScript(given) : pythonScript(given)
  }

  copy() {
    const say = (words, kind) => this.$scope.$applyAsync(() => this.toast.say(words, kind))
    this.$window.navigator.clipboard.writeText(this.text).then(
      () => say('Copied.'),
      () => say('The browser did not allow copying. Select the lines instead.', 'bad'),
    )
  }
}

export const ghStarterScript = { template, controller: StarterScriptController, bindings: { projectId: '<', version: '<' } }
