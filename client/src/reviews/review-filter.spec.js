import { expect, it } from 'vitest'
import { bulkFilterOf, filterOf, isNarrowed, queryOf, wordsOf } from './review-filter.js'

it('comes through the address unchanged', () => {
  const search = { state: 'submitted', worker: 'K7Q2', late: 'true', 'answer.label': '1' }
  expect(queryOf(filterOf(search))).toEqual(search)
  expect(queryOf(filterOf({ foreign: 'x' }))).toEqual({})
})

it('accepts only submitted answers of those shown', () => {
  const filter = filterOf({ state: 'submitted', task: 't', late: 'false', order: 'oldest', 'answer.label': 'duck' })
  expect(bulkFilterOf(filter)).toEqual({ state: 'submitted', task: 't', late: false, answer: { label: 'duck' } })
})

it('says in words what a bulk act is about', () => {
  expect(wordsOf(filterOf({}))).toBe('')
  const say = (key, value) => (value === '1' ? 'a duck' : value)
  expect(wordsOf(filterOf({ worker: 'K7Q2', 'answer.label': '1' }), say)).toBe('from worker K7Q2, whose label is “a duck”')
  expect(isNarrowed(filterOf({ state: 'submitted' }))).toBe(false)
  expect(isNarrowed(filterOf({ late: 'true' }))).toBe(true)
})
