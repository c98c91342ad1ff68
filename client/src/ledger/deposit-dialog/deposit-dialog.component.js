import template from './deposit-dialog.component.html?raw'
import { moneyText, parseMoney } from '../../shared/money/money.js'

/** Announce a deposit, then learn how to pay it; it counts once the hall has seen the money. */
class DepositDialogController {
  static $inject = ['Purse']

  constructor(Purse) {
    this.Purse = Purse
  }

  $onChanges(changes) {
    if (!changes.open || !this.open) return
    this.currency = this.purse.balance.currency
    Object.assign(this, { deposit: null, failed: null, error: null, reference: '' })
    this.text = this.wanted ? moneyText({ amount: this.wanted, currency: this.currency }) : ''
    this.Purse.providers().$promise.then((providers) => (this.provider = providers[0]), () => {})
  }

  send() {
    const amount = parseMoney(this.text, this.currency)
    this.error = amount ? null : 'Write an amount such as 50.00.'
    if (!amount) return
    this.busy = true
    this.failed = null
    this.Purse.deposit({ id: this.purse.id }, { amount: { amount, currency: this.currency }, reference: this.reference })
      .$promise.then(
        (deposit) => {
          this.deposit = deposit
          this.onChanged()
        },
        (problem) => {
          this.error = problem.fields['amount.amount'] || problem.fields.amount
          if (!this.error) this.failed = problem
        },
      )
      .finally(() => (this.busy = false))
  }
}

export const ghDepositDialog = {
  template,
  controller: DepositDialogController,
  bindings: { open: '<', purse: '<', wanted: '<', onClose: '&', onChanged: '&' },
}
