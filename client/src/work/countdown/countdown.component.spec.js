import angular from 'angular'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import '../work.module.js'

const START = Date.parse('2026-03-01T12:00:00Z')

describe('gh-countdown', () => {
  let scope, element, $interval

  beforeEach(() => {
    vi.useFakeTimers({ now: START, toFake: ['Date'] })
    angular.mock.module('guildhall.work')
    angular.mock.inject(($compile, $rootScope, _$interval_) => {
      $interval = _$interval_
      scope = Object.assign($rootScope.$new(), { expires: '2026-03-01T12:11:42Z', late: '2026-03-01T12:13:42Z', over: vi.fn() })
      element = $compile('<gh-countdown expires-at="expires" late-until="late" on-over="over()"></gh-countdown>')(scope)[0]
      scope.$digest()
    })
  })

  afterEach(() => {
    scope.$destroy()
    vi.useRealTimers()
  })

  function at(seconds) {
    vi.setSystemTime(START + seconds * 1000)
    $interval.flush(500)
  }

  const time = () => element.querySelector('[role=timer]').textContent

  it('counts down by the server’s clock', () => {
    expect(time()).toBe('11:42')
    angular.mock.inject((clock) => (clock.offset = 42_000))
    at(0.5)
    expect(time()).toBe('11:00')
  })

  it('says how long late answers are taken', () => {
    expect(element.textContent).toContain('late answers are taken for 2 minutes more')
  })

  it('goes on through the grace and ends once', () => {
    at(703)
    expect(time()).toBe('1:59')
    expect(element.textContent).toContain('Late answers are still taken')
    expect(scope.over).not.toHaveBeenCalled()
    at(823)
    at(824)
    expect(time()).toBe('0:00')
    expect(scope.over).toHaveBeenCalledOnce()
  })

  it('speaks at few moments only', () => {
    const said = () => element.querySelector('[role=status]').textContent
    expect(said()).toBe('')
    at(641)
    at(643)
    expect(said()).toBe('1 minute left')
    at(703)
    expect(said()).toContain('The time is over')
  })

  it('starts anew for the next task', () => {
    at(900)
    scope.expires = '2026-03-01T12:20:00Z'
    scope.late = '2026-03-01T12:22:00Z'
    scope.$digest()
    expect(time()).toBe('5:00')
  })
})
