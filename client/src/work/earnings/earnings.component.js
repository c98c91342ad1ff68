import { formatMoney } from '../../shared/money/money.js'
import { daysUpTo, todayIn } from './days.js'
import './earnings.css'
import template from './earnings.component.html?raw'

class EarningsController {
  static $inject = ['Assignment', 'live', 'session', 'clock']

  constructor(Assignment, live, session, clock) {
    Object.assign(this, { Assignment, live, session, clock })
  }

  $onInit() {
    this.load()
    this.off = this.live.on(['assignment', 'payout'], () => this.load(), { every: 60, apart: 2000 })
  }

  $onDestroy() {
    this.off()
  }

  load() {
    return this.Assignment.summary().$promise.then(
      (summary) => {
        const today = todayIn(this.session.me?.timezone, this.clock.now())
        Object.assign(this, { summary, problem: null })
        this.draw(daysUpTo(today, summary.by_day))
        this.hasWorked = summary.accepted + summary.submitted + summary.rejected > 0
      },
      (problem) => {
        if (!this.summary) this.problem = problem
      },
    )
  }

  draw(days) {
    const date = new Intl.DateTimeFormat(navigator.language, { day: 'numeric', month: 'short', timeZone: 'UTC' })
    const said = days.map((day) => date.format(new Date(day.on)))
    const best = days.reduce((most, day, index) => (day.amount > days[most].amount ? index : most), 0)
    const sum = days.reduce((total, day) => total + day.amount, 0)
    this.labels = said
    this.series = [{ name: 'Earned', tone: 'guild', values: days.map((day) => day.amount) }]
    this.about = `Earned in ${days.length} days: ${this.money(sum)}.` + (sum ? ` Most on ${said[best]}: ${this.money(days[best].amount)}.` : '')
  }

  money(amount) {
    return formatMoney({ amount, currency: this.summary.earned.total.currency })
  }
}

/** What the worker has earned: by day, by project, and by the hour. */
export const ghEarnings = { template, controller: EarningsController }
