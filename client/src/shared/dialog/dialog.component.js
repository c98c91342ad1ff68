import './dialog.css'
import template from './dialog.component.html?raw'

const FIRST = '.dialog-content :is(input, select, textarea, button, a[href])'

let count = 0

class DialogController {
  static $inject = ['$element', '$scope', '$timeout']

  constructor($element, $scope, $timeout) {
    Object.assign(this, { $element, $scope, $timeout })
    this.id = `dialog-${(count += 1)}`
  }

  $postLink() {
    this.dialog = this.$element[0].querySelector('dialog')
    this.dialog.addEventListener('cancel', (event) => {
      event.preventDefault()
      this.$scope.$applyAsync(() => this.onClose())
    })
    this.dialog.addEventListener('click', (event) => {
      if (event.target === this.dialog) this.$scope.$applyAsync(() => this.onClose())
    })
    this.follow()
  }

  $onChanges() {
    if (this.dialog) this.follow()
  }

  $onDestroy() {
    if (this.dialog?.open) this.dialog.close()
  }

  follow() {
    if (this.open && !this.dialog.open) {
      this.dialog.showModal()
      // The content comes with this digest, so the browser has found only the close button to focus.
      this.$timeout(() => this.dialog.querySelector(FIRST)?.focus(), 0, false)
    } else if (!this.open && this.dialog.open) this.dialog.close()
  }
}

/** A modal dialog (the browser's own: keeps the focus, closes by Escape). Its content exists only while it is open. */
export const ghDialog = {
  bindings: { open: '<', heading: '@', onClose: '&' },
  transclude: true,
  template,
  controller: DialogController,
}
