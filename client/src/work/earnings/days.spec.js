import { describe, expect, it } from 'vitest'
import { daysUpTo, todayIn } from './days.js'

describe('the days of the chart', () => {
  it('has every day, also those without earnings, across a month and a clock change', () => {
    const days = daysUpTo('2026-04-02', [{ on: '2026-03-29', earned: { amount: 150, currency: 'USD' }, accepted: 10, seconds: 9 }], 6)
    expect(days.map((day) => [day.on, day.amount])).toEqual([
      ['2026-03-28', 0],
      ['2026-03-29', 150],
      ['2026-03-30', 0],
      ['2026-03-31', 0],
      ['2026-04-01', 0],
      ['2026-04-02', 0],
    ])
  })

  it('knows what day it is where the worker is', () => {
    const now = Date.parse('2026-03-05T23:30:00Z')
    expect(todayIn('UTC', now)).toBe('2026-03-05')
    expect(todayIn('Asia/Tokyo', now)).toBe('2026-03-06')
    expect(todayIn('Not/AZone', now)).toBe('2026-03-05')
  })
})
