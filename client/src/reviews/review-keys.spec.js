import { describe, expect, it } from 'vitest'
import { actOf, neighbour, nextWaiting } from './review-keys.js'

const press = (key, more = {}) => actOf({ key, target: document.body, ...more })

describe('keys', () => {
  it('stand for the acts, also with caps lock', () => {
    expect([press('a'), press('B'), press('r'), press('j'), press('ArrowUp')]).toEqual(['accept', 'sendBack', 'reject', 'next', 'previous'])
    expect(press('x')).toBeNull()
  })

  it('do nothing while someone types, with a modifier, or when held down', () => {
    for (const tag of ['input', 'textarea', 'select']) expect(press('a', { target: document.createElement(tag) })).toBeNull()
    expect(press('a', { ctrlKey: true })).toBeNull()
    expect(press('r', { metaKey: true })).toBeNull()
    expect(press('a', { repeat: true })).toBeNull()
    expect(press('j', { repeat: true })).toBe('next')
    expect(press('a', { defaultPrevented: true })).toBeNull()
  })
})

describe('moving', () => {
  const rows = [{ id: 1, state: 'accepted' }, { id: 2, state: 'submitted' }, { id: 3, state: 'accepted' }, { id: 4, state: 'submitted' }]

  it('stays at the ends and starts at the first', () => {
    expect(neighbour(rows, 1, -1).id).toBe(1)
    expect(neighbour(rows, 4, 1).id).toBe(4)
    expect(neighbour(rows, null, 1).id).toBe(1)
    expect(neighbour([], 1, 1)).toBeNull()
  })

  it('goes on to the next that waits, else to one before', () => {
    expect(nextWaiting(rows, 2).id).toBe(4)
    expect(nextWaiting(rows, 4).id).toBe(2)
    expect(nextWaiting([rows[0], rows[1]], 2)).toBeNull()
  })
})
