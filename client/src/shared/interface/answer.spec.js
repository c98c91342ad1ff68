import { describe, expect, it } from 'vitest'
import { activeAsk, altText, moved, parts, picked, picksOf, shownValue, unanswered, withValue } from './answer.js'

const CHOICE = { ask: 'choice', key: 'label', required: true, options: [{ value: '1' }, { value: '0' }] }
const CHOICES = { ask: 'choices', key: 'tags', options: [{ value: 'a' }, { value: 'b' }, { value: 'c' }] }
const TEXT = { ask: 'text', key: 'note' }
const DOCUMENT = { kind: 'elements', elements: [{ show: 'image', from: 'image' }, CHOICE, { show: 'text', text: 'And now' }, CHOICES, TEXT] }

describe('an interface document', () => {
  it('is what is shown before the first question, and the rest', () => {
    const { shown, asked } = parts(DOCUMENT)
    expect(shown).toHaveLength(1)
    expect(asked.map((element) => element.ask ?? 'show')).toEqual(['choice', 'show', 'choices', 'text'])
    expect(parts({ kind: 'html', html: '' })).toEqual({ shown: [], asked: [] })
  })

  it('shows input or literal text', () => {
    expect(shownValue({ show: 'text', from: 'a' }, { a: 0 })).toBe(0)
    expect(shownValue({ show: 'text', text: 'x' }, { a: 0 })).toBe('x')
    expect(altText({ alt: 'caption' }, { caption: 'A pond' })).toBe('A pond')
    expect(altText({ alt: 'A lake' }, { caption: 'A pond' })).toBe('A lake')
  })

  it('knows what is missing', () => {
    expect(unanswered(DOCUMENT, {})).toEqual(['label'])
    expect(unanswered(DOCUMENT, { label: '0' })).toEqual([])
    expect(unanswered({ kind: 'elements', elements: [{ ask: 'number', key: 'n', required: true }] }, { n: 0 })).toEqual([])
    expect(unanswered({ kind: 'elements', elements: [{ ask: 'choice', key: 'b', required: true, options: [] }] }, { b: false })).toEqual([])
  })

  it('gives the number keys to the question in focus, else to the first open one', () => {
    const { asked } = parts(DOCUMENT)
    expect(activeAsk(asked, {}, null)).toBe(CHOICE)
    expect(activeAsk(asked, { label: '1' }, null)).toBe(CHOICES)
    expect(activeAsk(asked, { label: '1', tags: ['a'] }, null)).toBe(CHOICE)
    expect(activeAsk(asked, {}, 'tags')).toBe(CHOICES)
    expect(activeAsk([TEXT], {}, null)).toBe(null)
  })

  it('toggles choices in the order they are offered in', () => {
    expect(picked(CHOICES, ['c'], 'a')).toEqual(['a', 'c'])
    expect(picked(CHOICES, ['a', 'c'], 'a')).toEqual(['c'])
    expect(picked(CHOICE, '1', '0')).toBe('0')
  })

  it('offers short scales as steps', () => {
    expect(picksOf({ ask: 'scale', min: 0, max: 3 })).toEqual([0, 1, 2, 3])
    expect(picksOf({ ask: 'scale', min: 0, max: 100 })).toEqual([])
  })

  it('takes emptied keys out of the answer, and changes no answer in place', () => {
    const answer = Object.freeze({ note: 'x', tags: ['a'] })
    expect(withValue(answer, 'note', '')).toEqual({ tags: ['a'] })
    expect(withValue(answer, 'tags', [])).toEqual({ note: 'x' })
    expect(withValue(answer, 'n', 0)).toEqual({ note: 'x', tags: ['a'], n: 0 })
    expect(withValue(answer, 'b', false)).toEqual({ note: 'x', tags: ['a'], b: false })
  })

  it('moves within a ranking and not out of it', () => {
    expect(moved(['a', 'b', 'c'], 0, 1)).toEqual(['b', 'a', 'c'])
    const list = ['a', 'b']
    expect(moved(list, 0, -1)).toBe(list)
    expect(moved(list, 1, 1)).toBe(list)
  })
})
