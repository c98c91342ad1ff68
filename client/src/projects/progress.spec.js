import { expect, it } from 'vitest'
import { bucketLabel, evenly, instantLabel, trimmed } from './progress.js'

const at = (minute) => new Date(Date.UTC(2026, 0, 1, 10, minute)).toISOString()

it('puts in the minutes in which nothing came', () => {
  const filled = evenly([{ at: at(0), submitted: 2, accepted: 0 }, { at: at(3), submitted: 1, accepted: 1 }], 'minute')
  expect(filled.map((point) => point.submitted)).toEqual([2, 0, 0, 1])
  expect(filled[3]).toEqual({ at: at(3), submitted: 1, accepted: 1 })
  expect(evenly([], 'hour')).toEqual([])
})

it('adds neighbours up when there would be too many, and loses none', () => {
  const points = [0, 1, 700, 1400].map((minute) => ({ at: at(minute), submitted: 1, accepted: 0 }))
  const filled = evenly(points, 'minute')
  expect(filled.length).toBeLessThanOrEqual(49)
  expect(Date.parse(filled[1].at) - Date.parse(filled[0].at)).toBe(30 * 60_000)
  expect(filled.reduce((sum, point) => sum + point.submitted, 0)).toBe(4)
})

it('says the day once the time of day is not enough', () => {
  const hour = 3_600_000
  expect(instantLabel(at(0), 2 * hour, 'UTC')).toMatch(/^10:00/)
  expect(instantLabel(at(0), 48 * hour, 'UTC')).toMatch(/Thu/)
  expect(instantLabel(at(0), 900 * hour, 'UTC')).toMatch(/Jan 1|1 Jan/)
})

it('words the buckets of time and leaves the empty ends out', () => {
  expect(bucketLabel({ from: 0, to: 1 })).toBe('under 1 s')
  expect(bucketLabel({ from: 30, to: 60 })).toBe('30 s–1 min')
  expect(bucketLabel({ from: 3600, to: null })).toBe('over 1 h')
  const histogram = [0, 2, 0, 1, 0].map((count, index) => ({ from: index, to: index + 1, count }))
  expect(trimmed(histogram).map((bucket) => bucket.count)).toEqual([2, 0, 1])
  expect(trimmed([])).toEqual([])
})
