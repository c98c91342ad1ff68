import { describe, expect, it } from 'vitest'
import { authorWords, otherSide, placeOf } from './thread-words.js'

const thread = (more) => ({ kind: 'talk', side: 'worker', worker: 'K7Q2', project: 'p1', about: { kind: 'assignment', id: 'a1' }, collective: { name: 'Duck Lab' }, ...more })

describe('a thread in words', () => {
  it('names the other side and never the own', () => {
    expect(otherSide(thread())).toBe('Duck Lab')
    expect(otherSide(thread({ side: 'collective' }))).toBe('Worker K7Q2')
    expect(otherSide(thread({ kind: 'members', side: 'collective' }))).toBe('Members of Duck Lab')
    expect(otherSide(thread({ kind: 'announcements' }))).toBe('Duck Lab')
  })

  it('says for whom a member wrote', () => {
    expect(authorWords({ name: 'Ana', collective: 'Duck Lab', mine: false })).toBe('Ana, for Duck Lab')
    expect(authorWords({ name: 'Ana', collective: 'Duck Lab', mine: true })).toBe('You, for Duck Lab')
    expect(authorWords({ name: 'K7Q2', collective: '', mine: false })).toBe('Worker K7Q2')
    expect(authorWords({ name: 'Wanda', collective: '', mine: true })).toBe('You')
  })

  it('leads to the thing it is about, where the user sees it', () => {
    expect(placeOf(thread())).toBe('/assignments/a1')
    expect(placeOf(thread({ side: 'collective' }))).toBe('/projects/p1/review?worker=K7Q2')
    expect(placeOf(thread({ about: { kind: 'project', id: 'p1' } }))).toBe('/feed/p1')
    expect(placeOf(thread({ about: { kind: 'project', id: 'p1' }, side: 'collective' }))).toBe('/projects/p1')
    expect(placeOf(thread({ kind: 'members', about: { kind: 'collective', id: 'c1' } }))).toBe(null)
  })
})
