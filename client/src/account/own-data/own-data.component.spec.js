import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../account.module.js'

describe('closing the account', () => {
  let page, refuse

  beforeEach(() => {
    angular.mock.module('guildhall.account')
    angular.mock.inject(($componentController, $q, $rootScope, Me) => {
      page = $componentController('ghOwnData', { $scope: $rootScope.$new() })
      refuse = (code) => {
        vi.spyOn(Me, 'close').mockReturnValue({ $promise: $q.reject({ code, fields: {} }) })
        page.ask()
        page.confirm = ' ana@example.org '
        page.close()
        $rootScope.$digest()
        return Me.close
      }
    })
  })

  it.each([['money_left', true], ['work_pending', true], ['work_open', false]])('after %s, money can be given up: %j', (code, can) => {
    refuse(code)
    expect(page.canForfeit).toBe(can)
  })

  it('gives up money only when that was ticked', () => {
    const sent = refuse('work_pending')
    expect(sent).toHaveBeenLastCalledWith({}, { confirm: 'ana@example.org' })
    page.forfeit = true
    page.close()
    expect(sent).toHaveBeenLastCalledWith({}, { confirm: 'ana@example.org', forfeit: true })
  })
})
