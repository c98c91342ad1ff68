import { beforeEach, describe, expect, it } from 'vitest'
import { ReadAfterService } from './read-after.service.js'

const EARLY = '00000003a4c1f0d8'
const LATE = '00000003b0000000'

describe('read after', () => {
  beforeEach(() => window.sessionStorage.clear())

  it('keeps the latest, in whatever order they come', () => {
    const readAfter = new ReadAfterService(window)
    expect(readAfter.value).toBe('')
    readAfter.note(EARLY)
    readAfter.note(LATE)
    readAfter.note(EARLY)
    expect(readAfter.value).toBe(LATE)
  })

  it('takes no notice of an answer or an event without one', () => {
    const readAfter = new ReadAfterService(window)
    readAfter.note(EARLY)
    for (const nothing of [undefined, null, '', 17]) readAfter.note(nothing)
    expect(readAfter.value).toBe(EARLY)
  })

  it('outlives a reload', () => {
    new ReadAfterService(window).note(LATE)
    expect(new ReadAfterService(window).value).toBe(LATE)
  })
})
