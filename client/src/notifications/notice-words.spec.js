import { describe, expect, it } from 'vitest'
import { byDay, wordsOf } from './notice-words.js'

const usd = (amount) => ({ amount, currency: 'USD' })

describe('words of a notification', () => {
  it('add up what was added up', () => {
    const one = { kind: 'assignment.accepted', subject: 'p', count: 1, amount: usd(15), data: { title: 'Ducks' } }
    expect(wordsOf(one).text).toBe('1 answer accepted in “Ducks”: $0.15')
    expect(wordsOf({ ...one, count: 12, amount: usd(340) }).text).toBe('12 answers accepted in “Ducks”: $3.40')
  })

  it('lead to the thing', () => {
    const to = (kind, data = {}) => wordsOf({ kind, subject: 'S', count: 2, amount: usd(5), data: { title: 'T', ...data } }).href
    expect(to('assignment.sent_back')).toBe('/assignments/S')
    expect(to('assignment.submitted')).toBe('/projects/S/review')
    expect(to('project.finished')).toBe('/projects/S')
    expect(to('payout.failed', { purse: 'P' })).toBe('/purses/P')
  })

  it('say what the reviewer said, and until when it can be contested', () => {
    const words = wordsOf({
      kind: 'assignment.rejected', subject: 'a', count: 1, amount: null,
      data: { title: 'Ducks', category: 'wrong', comment: 'A goose.', until: '2026-03-14T09:00:00Z' },
    })
    expect(words).toMatchObject({
      text: 'An answer in “Ducks” was rejected: the answer is wrong',
      detail: 'A goose.',
      until: '2026-03-14T09:00:00Z',
      tone: 'bad',
    })
  })

  it('are something for a kind that this client does not know', () => {
    expect(wordsOf({ kind: 'jury.called', subject: 's', count: 1, amount: null, data: {} }).text).toBe('jury called')
  })
})

describe('days', () => {
  it('are those of the user, and are named when they are near', () => {
    const rows = ['2026-03-14T01:30:00Z', '2026-03-13T23:30:00Z', '2026-03-12T12:00:00Z', '2026-03-01T12:00:00Z']
    const now = Date.parse('2026-03-14T08:00:00Z')
    const days = byDay(rows.map((at) => ({ at })), now, 'Europe/Berlin', 'en-GB')
    expect(days.map(({ name, rows }) => [name, rows.length])).toEqual([
      ['Today', 2],
      ['Thursday 12 March', 1],
      ['Sunday 1 March', 1],
    ])
    expect(byDay([{ at: rows[1] }], now, 'UTC')[0].name).toBe('Yesterday')
  })
})
