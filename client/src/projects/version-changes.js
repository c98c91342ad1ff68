// What a version has changed against the one before it, in words and lines.

import { formatDuration } from '../shared/duration/duration.js'
import { formatMoney } from '../shared/money/money.js'
import { isGenerated, same } from './schemas.js'

// Comparing costs the product of the two lengths; past this, the old text stands whole above the new one.
const MOST_PAIRS = 4_000_000
const AROUND = 2

const VALUES = [
  ['title', 'Title', (text) => text],
  ['summary', 'Summary', (text) => text || 'none'],
  ['keywords', 'Keywords', (words) => (words || []).join(', ') || 'none'],
  ['reward', 'Reward', (money) => formatMoney(money)],
  ['assignments_per_task', 'Answers for each task', String],
  ['claim_lasts', 'A worker holds a task for', (seconds) => formatDuration(seconds)],
  ['auto_accept_after', 'Accepted by itself after', (seconds) => formatDuration(seconds)],
  ['max_tasks_per_worker', 'Most tasks for one worker', (most) => (most ? String(most) : 'no limit')],
  ['expected_minutes', 'Expected time', (minutes) => (minutes ? `${minutes} min` : 'not said')],
]
const SHOWN = { text: 'text', markdown: 'text with Markdown', image: 'picture', audio: 'recording', video: 'video', link: 'link' }
const ASKED = { choice: 'one choice', choices: 'several choices', text: 'text', number: 'number', scale: 'scale', date: 'date', ranking: 'ranking' }
const SAID_APART = ['show', 'ask', 'from', 'text', 'key', 'label', 'options', 'required']

function elementLines(element) {
  if (element.show) {
    const what = element.text === undefined ? `column ${element.from}` : element.text
    return [`Shows ${SHOWN[element.show] || element.show}: ${what}`, ...furtherLines(element)]
  }
  const asked = `Asks “${element.label || ''}” (${ASKED[element.ask] || element.ask}, ${element.key}${element.required ? ', must be answered' : ''})`
  return [asked, ...(element.options || []).map((option) => `  · ${option.label || option.value} (${option.value})`), ...furtherLines(element)]
}

function furtherLines(element) {
  const further = Object.entries(element).filter(([name, value]) => !SAID_APART.includes(name) && value !== null && value !== '' && value !== false)
  return further.map(([name, value]) => `  ${name.replaceAll('_', ' ')}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
}

/** An interface document line by line: its elements in words, or the source of an own page, or its address. */
export function interfaceLines(document) {
  if (document?.kind === 'html') return ['Own HTML', ...String(document.html || '').split('\n')]
  if (document?.kind === 'url') return ['External page', String(document.url || '')]
  return (document?.elements || []).flatMap(elementLines)
}

/** `[{sign: '+' | '-' | ' ', text}]`, the shortest way from one list of lines to the other. */
export function lineChanges(before, after) {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1
  let end = 0
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end) === after.at(-1 - end)) end += 1
  const old = before.slice(start, before.length - end)
  const fresh = after.slice(start, after.length - end)
  const line = (sign) => (text) => ({ sign, text })
  const middle = old.length * fresh.length > MOST_PAIRS ? [...old.map(line('-')), ...fresh.map(line('+'))] : shortestWay(old, fresh)
  return [...before.slice(0, start).map(line(' ')), ...middle, ...before.slice(before.length - end).map(line(' '))]
}

function shortestWay(old, fresh) {
  // common[i][j]: how many lines the rests from i and from j have in common.
  const width = fresh.length + 1
  const common = new Uint32Array((old.length + 1) * width)
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = fresh.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = old[i] === fresh[j]
        ? common[(i + 1) * width + j + 1] + 1
        : Math.max(common[(i + 1) * width + j], common[i * width + j + 1])
    }
  }
  const lines = []
  let i = 0
  let j = 0
  while (i < old.length || j < fresh.length) {
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) {
      lines.push({ sign: ' ', text: old[i] })
      i += 1
      j += 1
    } else if (i < old.length && (j === fresh.length || common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      lines.push({ sign: '-', text: old[i] })
      i += 1
    } else {
      lines.push({ sign: '+', text: fresh[j] })
      j += 1
    }
  }
  return lines
}

/** Only what changed, with two lines around it; what is left out stands as one line with the sign '…'. */
export function withoutTheSame(lines) {
  const near = (at) => lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ sign }) => sign !== ' ')
  const kept = []
  lines.forEach((line, at) => {
    if (near(at)) kept.push(line)
    else if (kept.at(-1)?.sign !== '…') kept.push({ sign: '…', text: '' })
  })
  return kept
}

/** `{values: [{name, before, after}], texts: [{name, lines}]}`: what `after` has changed, whole of words and whole of lines. */
export function changesOf(before, after) {
  const values = VALUES.filter(([field]) => !same(before[field] ?? null, after[field] ?? null)).map(([field, name, say]) => ({
    name, before: say(before[field]), after: say(after[field]),
  }))
  const json = (schema) => JSON.stringify(schema ?? {}, null, 2).split('\n')
  const texts = [
    ['Instructions', String(before.instructions ?? '').split('\n'), String(after.instructions ?? '').split('\n')],
    ['Interface', interfaceLines(before.interface), interfaceLines(after.interface)],
  ]
  // Schemas that its elements make say nothing that the interface does not.
  if (!isGenerated(before) || !isGenerated(after)) {
    for (const [field, name] of [['input_schema', 'Input schema'], ['answer_schema', 'Answer schema']]) {
      if (!same(before[field] ?? {}, after[field] ?? {})) texts.push([name, json(before[field]), json(after[field])])
    }
  }
  return {
    values,
    texts: texts
      .map(([name, old, fresh]) => ({ name, lines: withoutTheSame(lineChanges(old, fresh)) }))
      .filter(({ lines }) => lines.some(({ sign }) => sign === '+' || sign === '-')),
  }
}
