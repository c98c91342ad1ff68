import { describe, expect, it } from 'vitest'
import { costOf, rewardFor, toSeconds, toUnits, wageOf } from './cost.js'

describe('the cost', () => {
  it('is every answer of every task', () => {
    expect(costOf({ tasks: 108, assignments: 39, reward: 15 })).toEqual({ answers: 4212, rewards: 63180, fee: 0, total: 63180 })
  })

  it('rounds the fee up for each answer, not for the sum', () => {
    expect(costOf({ tasks: 3, assignments: 1, reward: 15, feeBps: 250 }).fee).toBe(3)
  })
})

it('tells what an hour earns, and what would make it enough', () => {
  expect(wageOf(15, 0.5)).toBe(1800)
  expect(wageOf(0, 1)).toBeNull()
  expect(wageOf(15, null)).toBeNull()
  expect(rewardFor(1500, 0.5)).toBe(13)
  expect(wageOf(rewardFor(1500, 0.7), 0.7)).toBeGreaterThanOrEqual(1500)
})

it.each([[259200, 3, 'days'], [900, 15, 'minutes'], [5400, 90, 'minutes'], [7200, 2, 'hours'], [90, 2, 'minutes']])('shows %d seconds as %d %s', (seconds, count, unit) => {
  expect(toUnits(seconds)).toEqual({ count, unit })
  if (seconds % 60 === 0) expect(toSeconds(count, unit)).toBe(seconds)
})
