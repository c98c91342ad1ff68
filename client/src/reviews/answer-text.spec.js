import { expect, it } from 'vitest'
import { answerLines, answerSummary, taskName, valueText } from './answer-text.js'

const version = {
  interface: {
    kind: 'elements',
    elements: [
      { ask: 'choice', key: 'label', label: 'Which?', options: [{ value: '1', label: 'duck' }] },
      { ask: 'ranking', key: 'order', label: 'Order', options: [{ value: 'x', label: 'X' }, { value: 'y', label: 'Y' }] },
    ],
  },
}

it('uses the words of the interface, in its order, and keeps what it does not know', () => {
  const answer = { extra: { a: 1 }, order: ['y', 'x'], label: '1' }
  expect(answerLines(answer, version).map((line) => `${line.label}=${line.text}`)).toEqual(['Which?=duck', 'Order=Y › X', 'extra={"a":1}'])
  expect(answerSummary({ label: '1', order: [], a: '', b: 'c' }, version)).toBe('duck · c')
})

it('says something for every kind of value', () => {
  expect([valueText(null), valueText(''), valueText([]), valueText(false), valueText(0), valueText(['a', 'b'])]).toEqual(['–', '–', '–', 'no', '0', 'a, b'])
  expect(answerLines(null, version)).toEqual([])
  expect(answerSummary(null)).toBe('–')
})

it('names a task by its key, else by its place', () => {
  expect(taskName({ key: '36618', position: 0 })).toBe('36618')
  expect(taskName({ key: null, position: 0 })).toBe('1')
})
