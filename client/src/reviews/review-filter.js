// The filter of the review table: as it stands in the address, in the list's query and in a bulk act.

const PLAIN = ['state', 'worker', 'task', 'q', 'late', 'order']

/** The filter that an address names. Anything else in it is left alone. */
export function filterOf(search) {
  const filter = { state: '', worker: '', task: '', q: '', late: '', order: '', answerKey: '', answerValue: '' }
  for (const name of PLAIN) if (typeof search[name] === 'string') filter[name] = search[name]
  const answer = Object.keys(search).find((name) => name.startsWith('answer.'))
  if (answer) Object.assign(filter, { answerKey: answer.slice(7), answerValue: String(search[answer]) })
  return filter
}

/** The query of the list, also what stands in the address. */
export function queryOf(filter) {
  const query = {}
  for (const name of PLAIN) if (filter[name]) query[name] = filter[name].trim()
  if (filter.answerKey && filter.answerValue !== '') query[`answer.${filter.answerKey}`] = filter.answerValue
  return query
}

/** The body's filter of a bulk act: the submitted answers among those that are shown. */
export function bulkFilterOf(filter) {
  const body = { state: 'submitted' }
  for (const name of ['worker', 'task', 'q']) if (filter[name]) body[name] = filter[name].trim()
  if (filter.late) body.late = filter.late === 'true'
  if (filter.answerKey && filter.answerValue !== '') body.answer = { [filter.answerKey]: filter.answerValue }
  return body
}

/** "from worker K7Q2, whose label is “duck”" — what a bulk act is about, in words; empty without a filter. */
export function wordsOf(filter, sayValue = (key, value) => value) {
  const words = []
  if (filter.worker) words.push(`from worker ${filter.worker}`)
  if (filter.task) words.push(`to task ${filter.task}`)
  if (filter.late === 'true') words.push('that came late')
  if (filter.late === 'false') words.push('that came in time')
  if (filter.answerKey && filter.answerValue !== '') words.push(`whose ${filter.answerKey} is “${sayValue(filter.answerKey, filter.answerValue)}”`)
  if (filter.q) words.push(`that contain “${filter.q}”`)
  return words.join(', ')
}

export const isNarrowed = (filter) => Boolean(filter.worker || filter.task || filter.q || filter.late || (filter.answerKey && filter.answerValue !== ''))
