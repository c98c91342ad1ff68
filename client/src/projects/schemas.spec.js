import { describe, expect, it } from 'vitest'
import { STARTING_POINTS } from './starting-points.js'
import { answerPart, exampleInput, inputKeys, isGenerated, isKey, labelKeys, move, newElement, sampleCsv, schemasOf, withSchemas } from './schemas.js'

const OPTIONS = [{ value: 'a', label: 'A' }, { value: 'b', label: 'B' }]
const ELEMENTS = [
  { show: 'image', from: 'picture', alt: 'It' },
  { show: 'text', text: 'the same for all' },
  { show: 'link', from: 'page' },
  { show: 'text', from: 'picture' },
  { ask: 'choice', key: 'label', label: 'Which?', required: true, options: OPTIONS },
  { ask: 'text', key: 'note', label: 'Note' },
]

describe('schemas of elements', () => {
  it('take a column once, in order, and none from fixed text', () => {
    expect(inputKeys(ELEMENTS)).toEqual(['picture', 'page'])
    const { input_schema } = schemasOf(ELEMENTS)
    expect(input_schema.required).toEqual(['picture', 'page'])
    expect(input_schema.properties.page).toEqual({ type: 'string', pattern: '^https?://' })
  })

  it('allow further columns but no further answers', () => {
    const { input_schema, answer_schema } = schemasOf(ELEMENTS)
    expect(input_schema).not.toHaveProperty('additionalProperties')
    expect(answer_schema.additionalProperties).toBe(false)
    expect(answer_schema.required).toEqual(['label'])
  })

  it.each([
    [{ ask: 'choice', options: OPTIONS }, { type: 'string', enum: ['a', 'b'] }],
    [{ ask: 'choice', options: [{ value: 1 }, { value: 2 }] }, { type: 'integer', enum: [1, 2] }],
    [{ ask: 'choices', options: OPTIONS, required: true }, { type: 'array', items: { type: 'string', enum: ['a', 'b'] }, uniqueItems: true, minItems: 1, maxItems: 2 }],
    [{ ask: 'ranking', options: OPTIONS }, { type: 'array', items: { type: 'string', enum: ['a', 'b'] }, uniqueItems: true, minItems: 2, maxItems: 2 }],
    [{ ask: 'text', required: true, max_length: 9 }, { type: 'string', minLength: 1, maxLength: 9 }],
    [{ ask: 'text' }, { type: 'string', minLength: 0, maxLength: 2000 }],
    [{ ask: 'number', min: 0 }, { type: 'number', minimum: 0 }],
    [{ ask: 'scale', min: 1, max: 5 }, { type: 'integer', minimum: 1, maximum: 5 }],
    [{ ask: 'date' }, { type: 'string', format: 'date' }],
  ])('describe the answer to %j', (element, part) => {
    expect(answerPart(element)).toEqual(part)
  })

  it('are recognised as made, whatever the order of their keys, and handwork is not', () => {
    const made = { interface: { kind: 'elements', elements: ELEMENTS }, ...schemasOf(ELEMENTS) }
    const shuffled = { ...made, input_schema: Object.fromEntries(Object.entries(made.input_schema).reverse()) }
    expect(isGenerated(shuffled)).toBe(true)
    expect(isGenerated({ ...made, answer_schema: {} })).toBe(true)
    expect(isGenerated({ ...made, answer_schema: { ...made.answer_schema, additionalProperties: true } })).toBe(false)
    expect(isGenerated({ ...made, interface: { kind: 'html', html: '<p>' } })).toBe(false)
  })

  it('stand in where a version has none of its own', () => {
    const version = withSchemas({ interface: { kind: 'elements', elements: ELEMENTS }, input_schema: {}, answer_schema: { type: 'object' } })
    expect(Object.keys(version.input_schema.properties)).toEqual(['picture', 'page'])
    expect(version.answer_schema).toEqual({ type: 'object' })
  })

  it('are already those of every starting point', () => {
    for (const { version } of STARTING_POINTS) expect(isGenerated(version)).toBe(true)
  })
})

describe('a new element', () => {
  it('gets a name that is still free', () => {
    const first = newElement('ask:choice', ELEMENTS)
    expect(first.key).toBe('answer')
    expect(newElement('ask:choice', [first]).key).toBe('answer_2')
    expect(newElement('show:image', [{ show: 'image', from: 'image' }]).from).toBe('image_2')
  })

  it('is complete, so that a draft with it can be saved', () => {
    expect(newElement('ask:ranking', []).options).toHaveLength(2)
    expect(newElement('ask:scale', [])).toMatchObject({ min: 1, max: 5, label: expect.stringMatching(/./) })
    expect(newElement('show:markdown', []).text).toBeTruthy()
  })
})

it('keeps the list when an element would leave it', () => {
  expect(move(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a'])
  expect(move(['a', 'b'], 0, -1)).toEqual(['a', 'b'])
  expect(move(['a', 'b'], 1, 2)).toEqual(['a', 'b'])
})

it('takes a key with blanks inside, but none at its ends', () => {
  expect(isKey('Input.image url')).toBe(true)
  expect(isKey('größe')).toBe(true)
  expect(isKey(' a')).toBe(false)
  expect(isKey('')).toBe(false)
  expect(isKey('a\tb')).toBe(false)
  expect(isKey('x'.repeat(121))).toBe(false)
})

it('puts labels of a closed list before free text', () => {
  const schema = { properties: { note: { type: 'string' }, day: { type: 'string', format: 'date' }, sure: { type: 'boolean' }, label: { type: 'string', enum: ['a'] }, tags: { type: 'array' } } }
  expect(labelKeys(schema)).toEqual(['sure', 'label', 'note'])
})

describe('the sample file', () => {
  it('has a key, every column, gold for a choice, and quoted cells where needed', () => {
    const version = { interface: { kind: 'elements', elements: ELEMENTS }, ...schemasOf(ELEMENTS) }
    const lines = sampleCsv(version).split('\r\n')
    expect(lines[0]).toBe('key,picture,page,gold:label')
    expect(lines[1]).toBe('task-1,https://example.org/pictures/1.jpg,https://example.org/pages/1,a')
    expect(lines[2]).toMatch(/^task-2,.*2\.jpg,.*,$/)
    const tricky = { input_schema: { properties: { t: { enum: ['a "b", c'] } } }, answer_schema: {} }
    expect(sampleCsv(tricky)).toContain('task-1,"a ""b"", c"')
  })

  it('previews a picture that needs no network', () => {
    expect(exampleInput(schemasOf(ELEMENTS).input_schema, ELEMENTS).page).toMatch(/^https:/)
    const only = [{ show: 'image', from: 'i' }]
    expect(exampleInput(schemasOf(only).input_schema, only).i).toMatch(/^data:image\/svg/)
  })
})
