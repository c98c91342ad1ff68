import './field.css'
import template from './field.component.html?raw'

let count = 0

class FieldController {
  static $inject = ['$element', '$timeout']

  constructor($element, $timeout) {
    Object.assign(this, { $element, $timeout })
    this.id = `field-${(count += 1)}`
  }

  $postLink() {
    // The control may stand behind an ng-if of its own, which links a digest later.
    this.tie()
    if (!this.control) this.$timeout(() => this.tie(), 0, false)
  }

  $onChanges() {
    if (this.control) this.describe()
  }

  tie() {
    this.control = this.$element[0].querySelector('.field-control :is(input, select, textarea)')
    if (!this.control) return
    this.control.id ||= this.id
    this.$element[0].querySelector('label').htmlFor = this.control.id
    this.describe()
  }

  describe() {
    const parts = []
    if (this.help) parts.push(`${this.id}-help`)
    if (this.error) parts.push(`${this.id}-error`)
    if (parts.length) this.control.setAttribute('aria-describedby', parts.join(' '))
    else this.control.removeAttribute('aria-describedby')
    if (this.error) this.control.setAttribute('aria-invalid', 'true')
    else this.control.removeAttribute('aria-invalid')
    if (this.required) this.control.setAttribute('aria-required', 'true')
  }
}

/** A control with its label, help and error: `<gh-field label="Title" error="$ctrl.errors.title"><input …></gh-field>`. */
export const ghField = {
  bindings: { label: '@', help: '@', error: '<', required: '<', optional: '<' },
  transclude: true,
  template,
  controller: FieldController,
}
