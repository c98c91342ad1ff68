import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../reviews.module.js'
import { decideMany, WHY } from './decide-many.js'

const IDS = Array.from({ length: 120 }, (_, number) => `a${number}`)

describe('deciding about many answers', () => {
  let $q, $rootScope, outcome, failure

  beforeEach(() => {
    angular.mock.module('guildhall.reviews')
    angular.mock.inject((_$q_, _$rootScope_) => ([$q, $rootScope] = [_$q_, _$rootScope_]))
    outcome = failure = null
  })

  const run = (decide, more) => {
    decideMany({ $q, ids: IDS, decide, ...more }).then((found) => (outcome = found), (problem) => (failure = problem))
    $rootScope.$digest()
    return outcome
  }
  const all = (ids) => $q.resolve({ changed: ids.length, skipped: [] })

  it('goes in parts and tells how far it is', () => {
    const decide = vi.fn(all)
    const onProgress = vi.fn()
    expect(run(decide, { onProgress })).toMatchObject({ done: 120, left: 0 })
    expect(decide.mock.calls.map(([ids]) => ids.length)).toEqual([50, 50, 20])
    expect(onProgress.mock.calls.flat()).toEqual([0, 50, 100, 120])
  })

  it('counts those that were decided meanwhile', () => {
    run((ids) => $q.resolve({ changed: ids.length - 1, skipped: ids.slice(0, 1) }))
    expect([outcome.done, outcome.refused]).toEqual([117, [{ count: 3, why: WHY.decided }]])
  })

  it('leaves out those that were sent back too often, and does the others', () => {
    const spent = ['a3', 'a4', 'a119']
    const decide = (ids) => {
      const named = ids.filter((id) => spent.includes(id))
      return named.length ? $q.reject({ code: 'sent_back_too_often', body: { assignments: named }, fields: {} }) : all(ids)
    }
    run(decide)
    expect([outcome.done, outcome.refused]).toEqual([117, [{ count: 3, why: WHY.sent_back_too_often }]])
  })

  it('ends when rejecting has stopped, and says for how many', () => {
    const decide = vi.fn((ids) => (decide.mock.calls.length > 1 ? $q.reject({ code: 'rejections_halted', detail: 'No more.', fields: {} }) : all(ids)))
    run(decide)
    expect([outcome.done, outcome.refused]).toEqual([50, [{ count: 70, why: 'No more.' }]])
    expect(decide).toHaveBeenCalledTimes(2)
  })

  it('ends between two parts when it is stopped', () => {
    const decide = vi.fn(all)
    run(decide, { stopped: () => decide.mock.calls.length === 1 })
    expect([outcome.done, outcome.refused]).toEqual([50, [{ count: 70, why: WHY.stopped }]])
  })

  it('gives a wrong field back as what it is', () => {
    run(() => $q.reject({ code: 'invalid', fields: { lasts: 'More.' } }))
    expect([outcome, failure.fields.lasts]).toEqual([null, 'More.'])
  })
})
