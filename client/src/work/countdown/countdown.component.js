import { formatCountdown, formatDuration } from '../../shared/duration/duration.js'
import './countdown.css'
import template from './countdown.component.html?raw'

const TICK_MS = 500
const SHORT_SECONDS = 60
const SPOKEN_SECONDS = [300, 60]

class CountdownController {
  static $inject = ['clock', '$interval']

  constructor(clock, $interval) {
    Object.assign(this, { clock, $interval })
  }

  $onInit() {
    this.timer = this.$interval(() => this.tick(), TICK_MS)
  }

  $onChanges() {
    this.said = ''
    this.wasOver = false
    this.before = null
    this.graceSeconds = (Date.parse(this.lateUntil) - Date.parse(this.expiresAt)) / 1000
    this.grace = formatDuration(this.graceSeconds, { long: true })
    this.tick()
  }

  $onDestroy() {
    this.$interval.cancel(this.timer)
  }

  tick() {
    const left = this.clock.secondsTo(this.expiresAt)
    const lateLeft = this.clock.secondsTo(this.lateUntil)
    this.phase = left > 0 ? 'open' : lateLeft > 0 ? 'late' : 'over'
    this.short = left <= SHORT_SECONDS
    this.text = formatCountdown(this.phase === 'open' ? left : lateLeft)
    this.speak(left)
    if (this.phase === 'over' && !this.wasOver) {
      this.wasOver = true
      this.onOver()
    }
  }

  /** Words for a screen reader at a few moments only: a clock read out each second is no help. */
  speak(left) {
    const passed = (mark) => this.before !== null && this.before > mark && left <= mark
    const mark = SPOKEN_SECONDS.find(passed)
    if (mark) this.said = `${formatDuration(mark, { long: true })} left`
    if (passed(0)) this.said = `The time is over. Late answers are taken for ${this.grace} more.`
    this.before = left
  }
}

/** What is left of a claim by the server's clock, the grace for late answers included. `onOver()` once, at the very end. */
export const ghCountdown = {
  bindings: { expiresAt: '<', lateUntil: '<', onOver: '&' },
  template,
  controller: CountdownController,
}
