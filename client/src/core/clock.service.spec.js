import { describe, expect, it, vi } from 'vitest'
import { ClockService } from './clock.service.js'

describe('clock', () => {
  it('prefers the estimate from the shorter exchange', () => {
    const clock = new ClockService()
    clock.sync('2026-01-01T00:00:10.000Z', Date.parse('2026-01-01T00:00:00.000Z'), Date.parse('2026-01-01T00:00:00.100Z'))
    expect(clock.offset).toBe(9950)
    clock.sync('2026-01-01T00:00:12.000Z', Date.parse('2026-01-01T00:00:00.200Z'), Date.parse('2026-01-01T00:00:04.200Z'))
    expect(clock.offset).toBe(9950)
  })

  it('believes the server again when the machine was set to another time', () => {
    const clock = new ClockService()
    const at = Date.parse('2026-01-01T00:00:00Z')
    clock.sync('2026-01-01T00:00:00Z', at, at + 10)
    clock.sync('2026-01-01T00:00:01Z', at + 3_600_000, at + 3_600_400)
    expect(clock.offset).toBe(-3_599_200)
  })

  it('counts to an instant by the server, not by the machine', () => {
    vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') })
    const clock = new ClockService()
    clock.offset = 30_000
    expect(clock.secondsTo('2026-01-01T00:01:00Z')).toBe(30)
    vi.useRealTimers()
  })
})
