import { categoryWords } from '../shared/rejection.js'
import { formatMoney } from '../shared/money/money.js'

/**
 * What a notification says: `text`, perhaps `detail` (what somebody said) and `until` (an instant), where it leads to,
 * and its `tone` (ok, wait, bad or info).
 */
export function wordsOf(notice) {
  const say = WORDS[notice.kind]
  return say ? say(notice, notice.data) : { text: notice.data.title ?? notice.kind.replace(/[._]/g, ' '), tone: 'info' }
}

const WORDS = {
  'assignment.accepted': ({ count, amount }, { title }) => ({
    text: `${counted(count, 'answer', 'accepted')} in “${title}”: ${formatMoney(amount)}`,
    href: '/work?state=accepted',
    tone: 'ok',
  }),
  'assignment.overturned': ({ subject, amount }, { title }) => ({
    text: `A rejection in “${title}” was overturned: your answer is accepted, ${formatMoney(amount)}`,
    href: `/assignments/${subject}`,
    tone: 'ok',
  }),
  'assignment.sent_back': ({ subject }, { title, comment, until }) => ({
    text: `An answer in “${title}” was sent back to you`,
    detail: comment,
    until,
    untilWords: 'Change it',
    href: `/assignments/${subject}`,
    tone: 'wait',
  }),
  'assignment.rejected': ({ subject }, { title, category, comment, until }) => ({
    text: `An answer in “${title}” was rejected: ${lower(categoryWords(category) ?? 'no reason is known')}`,
    detail: comment,
    until,
    untilWords: 'It can be overturned',
    href: `/assignments/${subject}`,
    tone: 'bad',
  }),
  'assignment.bonus': ({ count, amount }, { title }) => ({
    text: `${count === 1 ? 'A bonus' : `${count} bonuses`} in “${title}”: ${formatMoney(amount)}`,
    href: '/earnings',
    tone: 'ok',
  }),
  'assignment.partial': ({ amount }, { title }) => ({
    text: `Part of the reward was paid in “${title}”: ${formatMoney(amount)}`,
    href: '/earnings',
    tone: 'ok',
  }),
  'assignment.expired': ({ count }, { title }) => ({
    text: `The time for ${count === 1 ? 'a task' : `${count} tasks`} in “${title}” ran out. This does not count against you`,
    href: '/work?state=gone',
    tone: 'info',
  }),
  'assignment.submitted': ({ count, subject }, { title }) => ({
    text: `${counted(count, 'new answer')} in “${title}”`,
    href: `/projects/${subject}/review`,
    tone: 'wait',
  }),
  'project.finished': ({ subject }, { title }) => ({
    text: `All answers are in: “${title}”`,
    href: `/projects/${subject}`,
    tone: 'ok',
  }),
  'project.closed': ({ subject }, { title }) => ({
    text: `“${title}” was closed`,
    href: `/projects/${subject}`,
    tone: 'info',
  }),
  'project.rejections_halted': ({ subject }, { title }) => ({
    text: `Too many answers were rejected in “${title}”: no more can be until this is decided`,
    href: `/projects/${subject}/review`,
    tone: 'bad',
  }),
  'payout.paid': ({ amount }, { purse }) => ({ text: `${formatMoney(amount)} was paid out`, href: `/purses/${purse}`, tone: 'ok' }),
  'payout.failed': ({ amount }, { purse, failure }) => ({
    text: `${formatMoney(amount)} could not be paid out, and is back in the purse`,
    detail: failure,
    href: `/purses/${purse}`,
    tone: 'bad',
  }),
  'deposit.confirmed': ({ amount }, { purse }) => ({ text: `${formatMoney(amount)} has arrived in the purse`, href: `/purses/${purse}`, tone: 'ok' }),
  'deposit.cancelled': ({ amount }, { purse, code }) => ({
    text: `The deposit of ${formatMoney(amount)} (${code}) did not arrive`,
    href: `/purses/${purse}`,
    tone: 'bad',
  }),
}

function counted(count, noun, participle = '') {
  return [count.toLocaleString(), count === 1 ? noun : `${noun}s`, participle].filter(Boolean).join(' ')
}

function lower(text) {
  return text[0].toLowerCase() + text.slice(1)
}

/** Rows under the days on which they happened, newest first: `[{day: "2026-03-14", name: "Yesterday", rows}]`. */
export function byDay(rows, now, timeZone, locale = navigator.language) {
  const dayOf = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' })
  const nameOf = new Intl.DateTimeFormat(locale, { timeZone, weekday: 'long', day: 'numeric', month: 'long' })
  const names = { [dayOf.format(now)]: 'Today', [dayOf.format(now - 86_400_000)]: 'Yesterday' }
  const days = []
  for (const row of rows) {
    const at = new Date(row.at)
    const day = dayOf.format(at)
    if (days.at(-1)?.day !== day) days.push({ day, name: names[day] ?? nameOf.format(at), rows: [] })
    days.at(-1).rows.push(row)
  }
  return days
}
