import { formatMoney } from './money.js'

class MoneyController {
  $onChanges() {
    this.text = formatMoney(this.amount, { sign: this.sign })
  }
}

/** An amount of money, by its currency and the reader's habits. */
export const ghMoney = {
  bindings: { amount: '<', sign: '<' },
  template: '{{ $ctrl.text }}',
  controller: MoneyController,
}
