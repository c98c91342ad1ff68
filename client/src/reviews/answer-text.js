// An answer in one line, in the words of the interface where it has some.

function labelOf(element, value) {
  const option = (element?.options || []).find((one) => String(one.value) === String(value))
  return option?.label || String(value)
}

/** One answer value in words: option labels instead of values, lists joined, nothing as a dash. */
export function valueText(value, element) {
  if (value === null || value === undefined || value === '') return '–'
  if (Array.isArray(value)) {
    if (!value.length) return '–'
    return value.map((one) => labelOf(element, one)).join(element?.ask === 'ranking' ? ' › ' : ', ')
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'object') return JSON.stringify(value)
  return labelOf(element, value)
}

/** `[{key, label, text}]` of an answer, asked elements first in their order, then any other keys. */
export function answerLines(answer, version) {
  if (!answer || typeof answer !== 'object') return []
  const asked = (version?.interface?.elements || []).filter((element) => element.ask && element.key in answer)
  const known = new Set(asked.map((element) => element.key))
  return [
    ...asked.map((element) => ({ key: element.key, label: element.label || element.key, text: valueText(answer[element.key], element) })),
    ...Object.keys(answer).filter((key) => !known.has(key)).map((key) => ({ key, label: key, text: valueText(answer[key]) })),
  ]
}

/** The answer as a cell of a table: the values only, the first three that say something. */
export function answerSummary(answer, version) {
  const texts = answerLines(answer, version).map((line) => line.text).filter((text) => text !== '–')
  return texts.length ? texts.slice(0, 3).join(' · ') + (texts.length > 3 ? ' …' : '') : '–'
}

/** What to call a task: its own key when the requester gave one, else its place counted from 1. */
export function taskName(task) {
  if (!task) return ''
  return task.key ? String(task.key) : String((task.position ?? 0) + 1)
}
