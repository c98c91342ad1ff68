import { daysUpTo, todayIn } from '../day-chart/day-chart.js'
import './earnings.css'
import template from './earnings.component.html?raw'

class EarningsController {
  static $inject = ['Assignment', 'live', 'session', 'clock']

  constructor(Assignment, live, session, clock) {
    Object.assign(this, { Assignment, live, session, clock })
  }

  $onInit() {
    this.load()
    this.off = this.live.on('assignment', () => this.load(), { every: 60 })
  }

  $onDestroy() {
    this.off()
  }

  load() {
    return this.Assignment.summary().$promise.then(
      (summary) => {
        const today = todayIn(this.session.me?.timezone, this.clock.now())
        Object.assign(this, { summary, problem: null, days: daysUpTo(today, summary.by_day) })
        this.hasWorked = summary.accepted + summary.submitted + summary.rejected > 0
      },
      (problem) => {
        if (!this.summary) this.problem = problem
      },
    )
  }
}

/** What the worker has earned: by day, by project, and by the hour. */
export const ghEarnings = { template, controller: EarningsController }
