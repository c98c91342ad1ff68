import './toast.css'
import template from './toast.component.html?raw'

class ToastController {
  static $inject = ['toast']

  constructor(toast) {
    this.toast = toast
  }
}

/** Shows what `toast.say(…)` was told and has it read out. Stands once, in index.html. */
export const ghToast = { template, controller: ToastController }
