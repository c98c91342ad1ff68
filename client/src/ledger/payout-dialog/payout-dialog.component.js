import template from './payout-dialog.component.html?raw'
import { moneyText, parseMoney } from '../../shared/money/money.js'

const METHODS = { bank: 'Bank account' }

/** Take money out. It leaves the purse at once and comes back if it cannot be paid. */
class PayoutDialogController {
  static $inject = ['Purse']

  constructor(Purse) {
    this.Purse = Purse
  }

  $onChanges(changes) {
    if (!changes.open || !this.open) return
    this.currency = this.purse.balance.currency
    Object.assign(this, { failed: null, errors: {}, details: '', method: 'bank', methods: ['bank'] })
    this.text = moneyText(this.purse.balance)
    this.Purse.providers().$promise.then(
      ([provider]) => {
        this.least = provider?.min_payout
        if (provider?.methods?.length) Object.assign(this, { methods: provider.methods, method: provider.methods[0] })
      },
      () => {},
    )
  }

  get isTooLittle() {
    return this.least?.amount > this.purse.balance.amount
  }

  nameOf(method) {
    return METHODS[method] || method
  }

  check() {
    const amount = parseMoney(this.text, this.currency)
    this.errors = {}
    if (!amount) this.errors.amount = 'Write an amount such as 50.00.'
    else if (amount > this.purse.balance.amount) this.errors.amount = 'That is more than is in the purse.'
    else if (this.least && amount < this.least.amount) this.errors.amount = `The smallest payout is ${moneyText(this.least)} ${this.currency}.`
    if (!this.details.trim()) this.errors.details = 'Say where the money goes.'
    return Object.keys(this.errors).length ? null : amount
  }

  send() {
    const amount = this.check()
    if (!amount) return
    this.busy = true
    this.failed = null
    const body = { amount: { amount, currency: this.currency }, destination: { method: this.method, details: this.details.trim() } }
    this.Purse.payout({ id: this.purse.id }, body)
      .$promise.then(
        () => {
          this.onChanged({ words: 'On its way. You see here when it has been paid.' })
          this.onClose()
        },
        (problem) => {
          const { fields } = problem
          this.errors = { amount: fields['amount.amount'] || fields.amount, details: fields['destination.details'] || fields.details }
          if (!this.errors.amount && !this.errors.details) this.failed = problem
        },
      )
      .finally(() => (this.busy = false))
  }
}

export const ghPayoutDialog = {
  template,
  controller: PayoutDialogController,
  bindings: { open: '<', purse: '<', onClose: '&', onChanged: '&' },
}
