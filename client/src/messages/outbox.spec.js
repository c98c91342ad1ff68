import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Outbox } from './outbox.js'

describe('what was typed for a thread', () => {
  let send, count

  const make = () => new Outbox({ name: 't1', storage: sessionStorage, send, newKey: () => `key-${(count += 1)}` })
  const failing = (status) => vi.fn().mockRejectedValue({ status, detail: 'No.' })

  beforeEach(() => {
    sessionStorage.clear()
    count = 0
    send = vi.fn().mockResolvedValue({ id: 'm1' })
  })

  it('is there again after a reload, until it is sent', async () => {
    make().typed('Is a decoy')
    const again = make()
    expect(again.text).toBe('Is a decoy')
    expect(await again.send()).toEqual({ id: 'm1' })
    expect(send).toHaveBeenCalledWith('Is a decoy', 'key-1')
    expect(make()).toMatchObject({ text: '', unsent: [] })
    expect(sessionStorage.length).toBe(0)
  })

  it('is sent again with its key while nobody knows whether it arrived, also after a reload', async () => {
    send = failing(0)
    const first = make()
    first.typed('Hello')
    await first.send()
    expect(first.unsent).toMatchObject([{ body: 'Hello', state: 'failed', key: 'key-1' }])
    send = vi.fn().mockResolvedValue({ id: 'm1' })
    const again = make()
    expect(again.unsent).toMatchObject([{ body: 'Hello', state: 'failed', key: 'key-1' }])
    await again.deliver(again.unsent[0])
    expect(send).toHaveBeenCalledWith('Hello', 'key-1')
    expect(make().unsent).toEqual([])
  })

  it('gets another key after a refusal, which would be answered the same for ever', async () => {
    send = failing(409)
    const box = make()
    box.typed('Hello')
    await box.send()
    expect(box.unsent[0].key).toBe('key-2')
  })

  it('is nothing when it is blank, and becomes a draft again when it is taken back', async () => {
    send = failing(403)
    const box = make()
    box.typed('  \n ')
    await box.send()
    expect(send).not.toHaveBeenCalled()
    box.typed('First')
    await box.send()
    box.typed('second')
    box.takeBack(box.unsent[0])
    expect(box).toMatchObject({ text: 'First\n\nsecond', unsent: [] })
  })

  it('survives what is not its own in the storage', () => {
    sessionStorage.setItem('guildhall.message.t1', '{broken')
    expect(make()).toMatchObject({ text: '', unsent: [] })
  })
})
