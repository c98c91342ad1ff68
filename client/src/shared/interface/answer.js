/** What a form made from an interface document knows about its answer, apart from how it looks. */

const HAS_OPTIONS = new Set(['choice', 'choices', 'ranking'])

/** The elements before the first question, and all from it on. */
export function parts(document) {
  const elements = document?.kind === 'elements' ? (document.elements ?? []) : []
  const first = elements.findIndex((element) => element.ask)
  const split = first < 0 ? elements.length : first
  return { shown: elements.slice(0, split), asked: elements.slice(split) }
}

/** The text, address or Markdown that a show element shows for this input. */
export function shownValue(element, input) {
  if (element.from !== undefined && element.from !== null && element.from !== '') return input?.[element.from]
  return element.text
}

/** An image's description: the input's value where `alt` names a key of it, else `alt` itself. */
export function altText(element, input) {
  if (element.alt && input && Object.hasOwn(input, element.alt)) return String(input[element.alt])
  return element.alt ?? element.label ?? ''
}

export function isAnswered(element, answer) {
  const value = answer?.[element.key]
  if (value === undefined || value === null || value === '') return false
  return !Array.isArray(value) || value.length > 0
}

/** Keys of required questions that have no answer yet. */
export function unanswered(document, answer) {
  const { asked } = parts(document)
  return asked.filter((element) => element.ask && element.required && !isAnswered(element, answer)).map((element) => element.key)
}

/** The question that the number keys answer: the one in focus, else the first open one, else the first of all. */
export function activeAsk(asked, answer, focusedKey) {
  const pickable = asked.filter((element) => picksOf(element).length > 0 && element.ask !== 'ranking')
  return (
    pickable.find((element) => element.key === focusedKey) ??
    pickable.find((element) => !isAnswered(element, answer)) ??
    pickable[0] ??
    null
  )
}

/** What number keys 1–9 stand for in a question, in order. */
export function picksOf(element) {
  if (HAS_OPTIONS.has(element.ask)) return (element.options ?? []).map((option) => option.value)
  if (element.ask === 'scale') return scaleValues(element)
  return []
}

export function scaleValues(element) {
  const min = element.min ?? 1
  const max = element.max ?? 5
  if (max - min > 10 || max < min) return []
  return Array.from({ length: max - min + 1 }, (_, index) => min + index)
}

/** A choice set, a value in a list put in or taken out, all others replaced. */
export function picked(element, current, value) {
  if (element.ask !== 'choices') return value
  const list = Array.isArray(current) ? current : []
  if (list.includes(value)) return list.filter((other) => other !== value)
  const order = picksOf(element)
  return [...list, value].sort((a, b) => order.indexOf(a) - order.indexOf(b))
}

/** `answer` with one key set; emptied keys go, so that a schema's "required" means what it says. */
export function withValue(answer, key, value) {
  const next = { ...answer }
  if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)) delete next[key]
  else next[key] = value
  return next
}

/** `list` with the item at `index` moved by `step` places. */
export function moved(list, index, step) {
  const to = index + step
  if (to < 0 || to >= list.length) return list
  const next = [...list]
  next.splice(to, 0, ...next.splice(index, 1))
  return next
}
