import { altText, shownValue } from './answer.js'
import template from './show.component.html?raw'

class ShowController {
  static $inject = ['$element', '$scope']

  constructor($element, $scope) {
    Object.assign(this, { $element, $scope })
  }

  $onInit() {
    // Loading events of media do not bubble, so they are caught on their way down.
    this.$element[0].addEventListener('error', () => this.$scope.$applyAsync(() => (this.broken = true)), true)
    this.$element[0].addEventListener('load', () => this.$scope.$applyAsync(() => (this.broken = false)), true)
  }

  $onChanges() {
    this.value = shownValue(this.element, this.input)
    this.missing = this.value === undefined || this.value === null || this.value === ''
    this.text = typeof this.value === 'object' && this.value !== null ? JSON.stringify(this.value, null, 2) : String(this.value ?? '')
    this.alt = altText(this.element, this.input)
    this.broken = false
  }
}

/** One "show" element of an interface document, with its value from the task's input. */
export const ghShow = { bindings: { element: '<', input: '<' }, template, controller: ShowController }
