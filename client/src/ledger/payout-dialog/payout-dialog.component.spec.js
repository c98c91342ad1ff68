import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../ledger.module.js'
import { dayAfter } from '../purse-page/purse-page.component.js'

describe('a payout', () => {
  let dialog, Purse

  beforeEach(() => {
    angular.mock.module('guildhall.ledger')
    angular.mock.inject(($componentController, $q, $rootScope, _Purse_) => {
      Purse = _Purse_
      vi.spyOn(Purse, 'providers').mockReturnValue({ $promise: $q.resolve([{ methods: ['bank'], min_payout: { amount: 100, currency: 'USD' } }]) })
      vi.spyOn(Purse, 'payout').mockReturnValue({ $promise: $q.resolve({}) })
      dialog = $componentController('ghPayoutDialog', {}, { open: true, purse: { id: 'u', balance: { amount: 5000, currency: 'USD' } }, onClose: vi.fn(), onChanged: vi.fn() })
      dialog.$onChanges({ open: {} })
      $rootScope.$digest()
    })
  })

  it('says so when there is less than the smallest payout', () => {
    expect(dialog.isTooLittle).toBe(false)
    dialog.purse = { id: 'u', balance: { amount: 60, currency: 'USD' } }
    expect(dialog.isTooLittle).toBe(true)
  })

  it('offers the whole purse', () => {
    expect(dialog.text).toBe('50.00')
  })

  it.each([['50.01', /more than/], ['0.99', /smallest/], ['a lot', /amount such as/], ['', /amount such as/]])('of %j is refused', (text, reason) => {
    Object.assign(dialog, { text, details: 'DE00' })
    dialog.send()
    expect(dialog.errors.amount).toMatch(reason)
    expect(Purse.payout).not.toHaveBeenCalled()
  })

  it('goes out in minor units with its destination', () => {
    Object.assign(dialog, { text: '12,5', details: ' DE00 ' })
    dialog.send()
    expect(Purse.payout).toHaveBeenCalledWith({ id: 'u' }, { amount: { amount: 1250, currency: 'USD' }, destination: { method: 'bank', details: 'DE00' } })
  })
})

it('takes a day as the last of a statement, also at the end of a month', () => {
  expect(dayAfter('2026-01-31')).toBe('2026-02-01')
  expect(dayAfter('2026-12-31')).toBe('2027-01-01')
})
