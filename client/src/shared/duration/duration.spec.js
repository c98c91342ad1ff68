import { describe, expect, it } from 'vitest'
import { formatCountdown, formatDuration, roughDuration } from './duration.js'

describe('durations', () => {
  it('are said in two units at most', () => {
    expect(formatDuration(29)).toBe('29 s')
    expect(formatDuration(638)).toBe('10 min 38 s')
    expect(formatDuration(7200)).toBe('2 h')
    expect(formatDuration(259_200, { long: true })).toBe('3 days')
    expect(formatDuration(90_061)).toBe('1 d 1 h')
    expect(formatDuration(0)).toBe('0 s')
    expect(formatDuration(null)).toBe('–')
  })

  it('are said roughly', () => {
    expect(roughDuration(10_900)).toBe('about 3 hours')
    expect(roughDuration(3590)).toBe('about 1 hour')
    expect(roughDuration(20)).toBe('about 20 seconds')
  })

  it('count down and stop at nothing', () => {
    expect(formatCountdown(702)).toBe('11:42')
    expect(formatCountdown(0.2)).toBe('0:01')
    expect(formatCountdown(-5)).toBe('0:00')
    expect(formatCountdown(4002)).toBe('1:06:42')
  })
})
