// The two JSON Schemas that follow from an interface made of elements.
// Input keys come from what is shown, answer keys from what is asked; nothing has to be written twice.

/** A key has 1 to 120 visible characters and no blank at its ends. */
export const isKey = (text) => /^[^\p{C}]{1,120}$/u.test(text) && text === text.trim()

const WITH_OPTIONS = ['choice', 'choices', 'ranking']

export const hasOptions = (element) => WITH_OPTIONS.includes(element.ask)

const present = (value) => value !== null && value !== undefined && value !== ''

function without(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => present(value)))
}

const typeOf = (value) => (typeof value === 'number' ? 'integer' : typeof value === 'boolean' ? 'boolean' : 'string')

function shownPart(show) {
  if (show === 'link') return { type: 'string', pattern: '^https?://' }
  return show === 'text' || show === 'markdown' ? { type: 'string' } : { type: 'string', minLength: 1 }
}

/** The JSON Schema of one asked element's answer. */
export function answerPart(element) {
  const least = element.required ? 1 : 0
  if (hasOptions(element)) {
    const values = (element.options || []).map((option) => option.value)
    const one = { type: typeOf(values[0]), enum: values }
    if (element.ask === 'choice') return one
    const minItems = element.ask === 'ranking' ? values.length : least
    return { type: 'array', items: one, uniqueItems: true, minItems, maxItems: values.length }
  }
  if (element.ask === 'text') return { type: 'string', minLength: least, maxLength: element.max_length ?? 2000 }
  if (element.ask === 'date') return { type: 'string', format: 'date' }
  return without({ type: element.ask === 'scale' ? 'integer' : 'number', minimum: element.min, maximum: element.max })
}

/** The input keys that the elements read, in order of appearance, none twice. */
export function inputKeys(elements) {
  return [...new Set(elements.filter((element) => element.show && element.from).map((element) => element.from))]
}

/** `{input_schema, answer_schema}` of an interface's elements, the same that the server derives. */
export function schemasOf(elements) {
  const shown = elements.filter((element) => element.show && element.from)
  const asked = elements.filter((element) => element.ask && element.key)
  return {
    input_schema: {
      type: 'object',
      properties: Object.fromEntries(shown.map((element) => [element.from, shownPart(element.show)])),
      required: inputKeys(elements),
    },
    answer_schema: {
      type: 'object',
      properties: Object.fromEntries(asked.map((element) => [element.key, answerPart(element)])),
      required: asked.filter((element) => element.required).map((element) => element.key),
      additionalProperties: false,
    },
  }
}

/** Whether the schemas are those its elements make, so that they may be made anew without losing handwork. */
export function isGenerated(version) {
  if (version.interface?.kind !== 'elements') return false
  const made = schemasOf(version.interface.elements || [])
  const follows = (name) => isBlank(version[name]) || same(made[name], version[name])
  return follows('input_schema') && follows('answer_schema')
}

const isBlank = (schema) => !schema || !Object.keys(schema).length

/** A version with the schemas that hold for it: where it has none of its own, those its elements make. */
export function withSchemas(version) {
  if (!isBlank(version.input_schema) && !isBlank(version.answer_schema)) return version
  const made = schemasOf(version.interface?.elements || [])
  const own = (name) => (isBlank(version[name]) ? made[name] : version[name])
  return { ...version, input_schema: own('input_schema'), answer_schema: own('answer_schema') }
}

function canonical(value) {
  if (Array.isArray(value)) return value.map(canonical)
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.keys(value).sort().map((key) => [key, canonical(value[key])]))
  }
  return value
}

export const same = (a, b) => JSON.stringify(canonical(a)) === JSON.stringify(canonical(b))

/** A new element of this sort, complete, with a key nobody uses yet. `what` is e.g. `show:image` or `ask:choice`. */
export function newElement(what, elements) {
  const [verb, sort] = what.split(':')
  if (verb === 'show') {
    if (sort === 'markdown') return { show: sort, text: 'Write here what every worker should read.' }
    const element = { show: sort, from: freeName(sort, inputKeys(elements)) }
    if (sort === 'image') element.alt = 'The picture to judge'
    return element
  }
  const taken = elements.map((element) => element.key).filter(Boolean)
  const element = { ask: sort, key: freeName(sort === 'text' ? 'text' : 'answer', taken), label: 'Your question', required: true }
  if (hasOptions(element)) element.options = [{ value: 'yes', label: 'Yes' }, { value: 'no', label: 'No' }]
  if (sort === 'scale') Object.assign(element, { min: 1, max: 5 })
  return element
}

function freeName(stem, taken) {
  if (!taken.includes(stem)) return stem
  let number = 2
  while (taken.includes(`${stem}_${number}`)) number += 1
  return `${stem}_${number}`
}

export function move(list, from, to) {
  if (to < 0 || to >= list.length) return list
  const copy = [...list]
  copy.splice(to, 0, ...copy.splice(from, 1))
  return copy
}

const SAMPLES = {
  image: 'https://example.org/pictures/#.jpg',
  audio: 'https://example.org/recordings/#.mp3',
  video: 'https://example.org/clips/#.mp4',
  link: 'https://example.org/pages/#',
  markdown: 'Some **text** from your file.',
  text: 'Some text from your file.',
}

const POND = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400" viewBox="0 0 640 400"><path fill="#9fc3d8" d="M0 0h640v400H0z"/><path fill="#4f7f8e" d="M0 220h640v180H0z"/><path fill="#6f8f4e" d="M0 230q160-40 320-4t320-10v24H0z"/><ellipse cx="330" cy="290" rx="62" ry="26" fill="#7a5230"/><circle cx="388" cy="262" r="19" fill="#1f5b3a"/><path fill="#d9a21b" d="m404 262 22 6-22 7z"/></svg>`
const PREVIEWS = { ...SAMPLES, image: `data:image/svg+xml,${encodeURIComponent(POND)}` }

/** An input that fits the schema. Known elements give it a telling value; `samples` are their values. */
export function exampleInput(schema, elements = [], number = 1, samples = PREVIEWS) {
  // Of a column that is shown twice the first use tells what it holds.
  const shown = Object.fromEntries(elements.filter((e) => e.show && e.from).map((e) => [e.from, e.show]).reverse())
  const example = {}
  for (const [key, part] of Object.entries(schema?.properties || {})) {
    example[key] = exampleValue(part, samples[shown[key]], number)
  }
  return example
}

function exampleValue(part, sample, number) {
  if (part?.examples?.length) return part.examples[(number - 1) % part.examples.length]
  if (part?.enum?.length) return part.enum[(number - 1) % part.enum.length]
  const type = Array.isArray(part?.type) ? part.type[0] : part?.type
  if (type === 'integer' || type === 'number') return part.minimum ?? number
  if (type === 'boolean') return true
  if (type === 'array') return []
  if (type === 'object') return exampleInput(part)
  return sample ? sample.replace('#', number) : `text ${number}`
}

function csvCell(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A small file to start from: a header and two rows, with a key column and, when an answer is a choice, gold. */
export function sampleCsv(version) {
  const elements = version.interface?.elements || []
  const columns = Object.keys(version.input_schema?.properties || {})
  const asked = Object.entries(version.answer_schema?.properties || {}).find(([, part]) => part.enum?.length)
  const header = ['key', ...columns, ...(asked ? [`gold:${asked[0]}`] : [])]
  const rows = [1, 2].map((number) => {
    const input = exampleInput(version.input_schema, elements, number, SAMPLES)
    const gold = asked ? [number === 1 ? asked[1].enum[0] : ''] : []
    return [`task-${number}`, ...columns.map((column) => input[column]), ...gold]
  })
  return [header, ...rows].map((row) => row.map(csvCell).join(',')).join('\r\n') + '\r\n'
}

/** Answer keys that hold one label each: options, true or false, whole numbers, text. Closed lists come first. */
export function labelKeys(schema) {
  const keys = Object.entries(schema?.properties || {})
    .filter(([, part]) => part.enum || (['string', 'integer', 'boolean'].includes(part.type) && !part.format))
  const closed = ([, part]) => Boolean(part.enum || part.type === 'boolean')
  return [...keys.filter(closed), ...keys.filter((entry) => !closed(entry))].map(([key]) => key)
}
