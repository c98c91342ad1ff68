import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Draft } from './draft.js'

describe('a draft', () => {
  let timers, storage, saves, draft

  beforeEach(() => {
    timers = []
    storage = new Map()
    saves = []
    const $timeout = (fn, wait) => {
      const timer = { fn, wait }
      timers.push(timer)
      return timer
    }
    $timeout.cancel = (timer) => {
      timers = timers.filter((other) => other !== timer)
    }
    const save = vi.fn((answer) => new Promise((resolve, reject) => saves.push({ answer, resolve, reject })))
    const shelf = { getItem: (key) => storage.get(key) ?? null, setItem: (key, value) => storage.set(key, value), removeItem: (key) => storage.delete(key) }
    draft = new Draft({ id: '7', save, $timeout, storage: shelf, now: () => 1000 })
  })

  const tick = () => timers.splice(0).forEach((timer) => timer.fn())
  const done = () => new Promise((resolve) => setTimeout(resolve))

  it('waits for a pause in typing and saves the newest', async () => {
    draft.change({ a: 1 })
    draft.change({ a: 2 })
    expect(timers).toHaveLength(1)
    tick()
    expect(saves.map((save) => save.answer)).toEqual([{ a: 2 }])
    saves[0].resolve()
    await done()
    expect(draft.state).toBe('saved')
    expect(draft.savedAt).toBe(1000)
    expect(storage.size).toBe(0)
  })

  it('never has two saves under way, and sends what came meanwhile afterwards', async () => {
    draft.change({ a: 1 })
    tick()
    draft.change({ a: 2 })
    draft.flush()
    expect(saves).toHaveLength(1)
    saves[0].resolve()
    await done()
    tick()
    expect(saves[1].answer).toEqual({ a: 2 })
  })

  it('keeps a copy in the tab until the server has it', async () => {
    draft.change({ a: 1 })
    expect(draft.rescued()).toEqual({ a: 1 })
    tick()
    saves[0].reject({ status: 0, code: 'offline' })
    await done()
    expect(draft.state).toBe('failed')
    expect(draft.rescued()).toEqual({ a: 1 })
    tick()
    expect(saves[1].answer).toEqual({ a: 1 })
  })

  it('does not insist when the server refuses', async () => {
    draft.change({ a: 1 })
    tick()
    saves[0].reject({ status: 409, code: 'too_late' })
    await done()
    expect(timers).toHaveLength(0)
  })

  it('is silent once the answer is in', () => {
    draft.change({ a: 1 })
    draft.close()
    draft.change({ a: 2 })
    tick()
    expect(saves).toHaveLength(0)
    expect(storage.size).toBe(0)
  })
})
