import { expect, it } from 'vitest'
import { elementOf, stepOf, stepsWith } from './editor-steps.js'

it('leads every problem to the step that settles it', () => {
  expect(stepOf('title')).toBe('describe')
  expect(stepOf('interface.elements.2.key')).toBe('interface')
  expect(stepOf('answer_schema.properties.x')).toBe('interface')
  expect(stepOf('tasks')).toBe('tasks')
  expect(stepOf('reward.amount')).toBe('price')
  expect(stepOf('something_new')).toBe('publish')
})

it('finds the element that a field path names', () => {
  expect(elementOf('interface.elements.12.options.0.value')).toBe(12)
  expect(elementOf('interface.elements')).toBeNull()
  expect(elementOf('reward')).toBeNull()
})

it('marks problems only once the last step was seen, and calls nothing done before the quote is there', () => {
  const problems = [{ field: 'reward' }, { field: 'interface.elements' }]
  const of = (touched) => stepsWith({ id: 'p', problems, touched }).map((step) => step.problems)
  expect(of(false)).toEqual([0, 0, 0, 0, 0])
  expect(of(true)).toEqual([0, 1, 0, 1, 0])
  expect(stepsWith({ id: 'p', problems: undefined, touched: true }).some((step) => step.done)).toBe(false)
  expect(stepsWith({ id: 'p', problems, touched: false }).map((step) => step.done)).toEqual([true, false, true, false, false])
})
