import { describe, expect, it } from 'vitest'
import { changesOf, interfaceLines, lineChanges, withoutTheSame } from './version-changes.js'

const CHOICE = { ask: 'choice', key: 'bird', label: 'Which bird?', required: true, options: [{ value: 'duck', label: 'A duck' }, { value: 'swan', label: 'A swan' }] }
const VERSION = {
  title: 'Ducks', summary: '', keywords: [], reward: { amount: 15, currency: 'USD' }, assignments_per_task: 2, claim_lasts: 600, auto_accept_after: 259_200,
  max_tasks_per_worker: null, expected_minutes: null, instructions: 'Look.\nAnswer.', interface: { kind: 'elements', elements: [{ show: 'image', from: 'picture' }, CHOICE] },
  input_schema: {}, answer_schema: {},
}
const changed = (more) => changesOf(VERSION, { ...VERSION, ...more })
const signs = (lines) => lines.map(({ sign, text }) => sign + text)

describe('what a version has changed', () => {
  it('is nothing when nothing was', () => {
    expect(changed({})).toEqual({ values: [], texts: [] })
  })

  it('is told in the words and units of the page', () => {
    expect(changed({ reward: { amount: 20, currency: 'USD' }, claim_lasts: 1200, max_tasks_per_worker: 5 }).values).toEqual([
      { name: 'Reward', before: '$0.15', after: '$0.20' },
      { name: 'A worker holds a task for', before: '10 min', after: '20 min' },
      { name: 'Most tasks for one worker', before: 'no limit', after: '5' },
    ])
  })

  it('shows which lines of the instructions came and went', () => {
    const [{ name, lines }] = changed({ instructions: 'Look twice.\nAnswer.' }).texts
    expect(name).toBe('Instructions')
    expect(signs(lines)).toEqual(['-Look.', '+Look twice.', ' Answer.'])
  })

  it('tells an element in words, an option as a line of its own', () => {
    const options = [...CHOICE.options, { value: 'none', label: 'Neither' }]
    const [{ name, lines }] = changed({ interface: { kind: 'elements', elements: [VERSION.interface.elements[0], { ...CHOICE, options }] } }).texts
    expect(name).toBe('Interface')
    expect(lines.filter(({ sign }) => sign === '+')).toEqual([{ sign: '+', text: '  · Neither (none)' }])
  })

  it('says nothing of schemas that follow from the elements, and shows those that were written by hand', () => {
    const byHand = { type: 'object', properties: { bird: { type: 'string', maxLength: 9 } } }
    expect(changed({ answer_schema: byHand }).texts.map(({ name }) => name)).toEqual(['Answer schema'])
  })

  it('of an own page is its source', () => {
    expect(interfaceLines({ kind: 'html', html: '<p>\n</p>' })).toEqual(['Own HTML', '<p>', '</p>'])
  })
})

describe('lines', () => {
  it.each([
    [[], ['a'], ['+a']],
    [['a'], [], ['-a']],
    [['a', 'b', 'c'], ['a', 'c'], [' a', '-b', ' c']],
    [['a', 'a'], ['a'], [' a', '-a']],
    [['x', 'a', 'b', 'y'], ['x', 'b', 'c', 'y'], [' x', '-a', ' b', '+c', ' y']],
  ])('from %j to %j', (before, after, expected) => {
    expect(signs(lineChanges(before, after))).toEqual(expected)
  })

  it('that are too many to compare stand whole', () => {
    const many = (stem) => Array.from({ length: 3000 }, (_, number) => `${stem}${number}`)
    expect(lineChanges(many('a'), many('b'))).toHaveLength(6000)
  })

  it('far from a change are left out', () => {
    const lines = lineChanges(['1', '2', '3', '4', '5', '6'], ['1', '2', '3', '4', '5', '7'])
    expect(signs(withoutTheSame(lines))).toEqual(['…', ' 4', ' 5', '-6', '+7'])
  })
})
