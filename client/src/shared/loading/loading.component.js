import './loading.css'
import template from './loading.component.html?raw'

const SAY_AFTER_MS = 1000
const SAY_MORE_AFTER_MS = 8000

class LoadingController {
  static $inject = ['$timeout']

  constructor($timeout) {
    this.$timeout = $timeout
  }

  $onInit() {
    this.rows = Array.from({ length: this.lines ?? 3 }, (_, index) => index)
    this.words = ''
    this.timers = [
      this.$timeout(() => (this.words = 'Loading…'), SAY_AFTER_MS),
      this.$timeout(() => (this.words = 'Still loading. The server is slow to answer; this page will go on by itself.'), SAY_MORE_AFTER_MS),
    ]
  }

  $onDestroy() {
    this.timers.forEach((timer) => this.$timeout.cancel(timer))
  }
}

/** Stands where `lines` cards will be; says so in words when it lasts more than a second. */
export const ghLoading = { bindings: { lines: '<' }, template, controller: LoadingController }
