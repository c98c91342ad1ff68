import template from './project-price.component.html?raw'
import { moneyText, parseMoney } from '../../shared/money/money.js'
import { costOf, rewardFor, toSeconds, toUnits, wageOf } from '../cost.js'
import './project-price.css'

const TARGET_WAGE = 1500

/** The step with reward, places, clocks; cost and hourly wage answer while one types. */
class ProjectPriceController {
  $onChanges(changes) {
    if (changes.version && this.version !== this.said) {
      const { reward, claim_lasts, auto_accept_after } = this.version
      this.currency = reward?.currency || 'USD'
      this.reward = reward ? moneyText(reward) : ''
      this.assignments = this.version.assignments_per_task
      this.minutes = this.version.expected_minutes
      this.most = this.version.max_tasks_per_worker
      this.claim = toUnits(claim_lasts)
      this.auto = toUnits(auto_accept_after)
    }
    this.count()
  }

  tell(changes) {
    this.said = this.onChange({ changes })
    this.count()
  }

  rewardChanged() {
    const amount = parseMoney(this.reward, this.currency)
    this.rewardProblem = amount === null ? 'Write an amount such as 0.15.' : null
    if (amount !== null) this.tell({ reward: { amount, currency: this.currency } })
  }

  numberChanged(field, value, needed) {
    if (needed && !(value >= 1)) return
    this.tell({ [field]: value ?? null })
  }

  clockChanged(field, clock) {
    if (clock.count > 0) this.tell({ [field]: toSeconds(clock.count, clock.unit) })
  }

  count() {
    const reward = parseMoney(this.reward, this.currency) ?? 0
    const money = (amount) => ({ amount, currency: this.currency })
    const tasks = this.quote?.tasks ?? 0
    const cost = costOf({ tasks, assignments: this.assignments || 0, reward, feeBps: this.quote?.fee_bps })
    this.cost = { tasks, answers: cost.answers, rewards: money(cost.rewards), fee: money(cost.fee), total: money(cost.total) }
    const wage = wageOf(reward, this.minutes)
    this.wage = wage === null ? null : money(wage)
    this.low = wage !== null && wage < TARGET_WAGE
    this.better = this.low ? rewardFor(TARGET_WAGE, this.minutes) : null
    this.betterText = this.better === null ? '' : moneyText(money(this.better))
    this.target = money(TARGET_WAGE)
  }

  raise() {
    this.reward = this.betterText
    this.rewardChanged()
  }
}

export const ghProjectPrice = {
  template,
  controller: ProjectPriceController,
  bindings: { version: '<', quote: '<', fixed: '<', errors: '<', onChange: '&' },
}
