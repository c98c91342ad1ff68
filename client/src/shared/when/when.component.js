const STEPS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]
const RELATIVE_UNTIL = 7 * 86_400

/** "3 hours ago", "in 2 days", "now". */
export function relativeTime(instant, now, locale = navigator.language) {
  const seconds = (Date.parse(instant) - now) / 1000
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  return format.format(unit === 'second' ? 0 : Math.round(seconds / size), unit)
}

class WhenController {
  static $inject = ['clock', 'session', '$interval']

  constructor(clock, session, $interval) {
    Object.assign(this, { clock, session, $interval })
  }

  $onInit() {
    this.timer = this.$interval(() => this.show(), 30_000)
  }

  $onChanges() {
    this.show()
  }

  $onDestroy() {
    this.$interval.cancel(this.timer)
  }

  show() {
    if (!this.at) {
      this.text = '–'
      return
    }
    this.full = this.format({ dateStyle: 'medium', timeStyle: 'short' })
    const near = Math.abs(Date.parse(this.at) - this.clock.now()) < RELATIVE_UNTIL * 1000
    this.text = this.absolute || !near ? this.full : relativeTime(this.at, this.clock.now())
  }

  format(options) {
    const timeZone = this.session.me?.timezone
    try {
      return new Intl.DateTimeFormat(navigator.language, { ...options, timeZone }).format(new Date(this.at))
    } catch {
      return new Intl.DateTimeFormat(navigator.language, options).format(new Date(this.at))
    }
  }
}

/** An instant, relative to now when it is near ("2 hours ago"), with the full time as its title. */
export const ghWhen = {
  bindings: { at: '<', absolute: '<' },
  template: '<time ng-attr-datetime="{{ $ctrl.at || undefined }}" ng-attr-title="{{ $ctrl.full }}">{{ $ctrl.text }}</time>',
  controller: WhenController,
}
