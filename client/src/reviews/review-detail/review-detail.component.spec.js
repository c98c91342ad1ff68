import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../reviews.module.js'
import { timesAgain } from './review-detail.component.js'

const REVIEW = { id: 'a', state: 'submitted', answer: { label: '1' }, reward: { amount: 15, currency: 'USD' }, task: { position: 0, key: 'k', input: {}, gold: { label: '1' } }, others: { agree: 34, of: 38, key: 'label' } }
const VERSION = { interface: { kind: 'elements', elements: [{ ask: 'choice', key: 'label', label: 'Which?', options: [{ value: '1', label: 'duck' }] }] } }

describe('an open answer', () => {
  let detail, $q, $rootScope

  beforeEach(() => angular.mock.module('guildhall.reviews'))

  function open(more = {}) {
    angular.mock.inject(($componentController, _$q_, _$rootScope_) => {
      $q = _$q_
      $rootScope = _$rootScope_
      const bindings = { review: { ...REVIEW, ...more }, version: VERSION, onDecide: vi.fn(() => $q.resolve()), onPay: vi.fn(() => $q.resolve()) }
      detail = $componentController('ghReviewDetail', { $element: [document.createElement('div')] }, bindings)
      detail.$onChanges({ review: {} })
    })
  }

  it('is shown in the words of its interface, with what is known of it', () => {
    open()
    expect(detail.lines[0].text).toBe('duck')
    expect(detail.gold).toBe('duck')
    expect(detail.othersText).toBe('34 of 38 others gave the same label.')
  })

  it('says nothing of others when there are none', () => {
    open({ others: { agree: 0, of: 0, key: 'label' } })
    expect(detail.othersText).toBeNull()
  })

  it('is accepted by one key', () => {
    open()
    detail.act('accept')
    expect(detail.onDecide).toHaveBeenCalledExactlyOnceWith({ verb: 'accept', body: {} })
  })

  it('is not accepted twice while the first call is on its way', () => {
    open()
    detail.onDecide.mockReturnValue($q.defer().promise)
    detail.act('accept')
    detail.act('accept')
    expect(detail.onDecide).toHaveBeenCalledTimes(1)
  })

  it('is rejected only with a category and a reason of 20 characters', () => {
    open()
    detail.act('reject')
    detail.text = `   ${'x'.repeat(19)}   `
    detail.confirm()
    expect(detail.onDecide).not.toHaveBeenCalled()
    expect(detail.errors.category).toBeTruthy()
    expect(detail.errors.text).toContain('1 more character.')
    detail.category = 'wrong'
    detail.text = 'x'.repeat(20)
    detail.confirm()
    expect(detail.onDecide).toHaveBeenCalledWith({ verb: 'reject', body: { category: 'wrong', reason: 'x'.repeat(20) } })
  })

  it('is sent back with a comment of 10 characters', () => {
    open()
    detail.act('sendBack')
    detail.text = 'too short'
    detail.confirm()
    expect(detail.onDecide).not.toHaveBeenCalled()
    detail.text = 'long enough'
    detail.confirm()
    expect(detail.onDecide).toHaveBeenCalledWith({ verb: 'sendBack', body: { comment: 'long enough', lasts: 86_400 } })
  })

  it('is sent back for a day at least, or for as long as a claim', () => {
    expect(timesAgain(900)[0]).toEqual({ seconds: 86_400, words: '1 day' })
    expect(timesAgain(5 * 86_400).map((one) => one.words)).toEqual(['5 days', '7 days', '30 days'])
    expect(timesAgain(30 * 86_400).map((one) => one.words)).toEqual(['30 days'])
  })

  it('is sent back with the time that was chosen, and says when the server wants more', () => {
    open()
    detail.act('sendBack')
    Object.assign(detail, { text: 'long enough', lasts: 604_800 })
    detail.onDecide.mockReturnValue($q.reject({ code: 'invalid', fields: { lasts: 'Give the worker more.' } }))
    detail.confirm()
    $rootScope.$digest()
    expect(detail.onDecide).toHaveBeenCalledWith({ verb: 'sendBack', body: { comment: 'long enough', lasts: 604_800 } })
    expect(detail.errors.lasts).toBe('Give the worker more.')
    expect(detail.problem).toBeNull()
  })

  it('is sent back three times at most', () => {
    const moves = (rounds) => ['claimed', ...Array(rounds).fill(['submitted', 'sent_back']).flat(), 'submitted'].map((to) => ({ to }))
    open({ moves: moves(2) })
    detail.act('sendBack')
    expect([detail.mode, detail.roundsLeft]).toEqual(['sendBack', 1])
    open({ moves: moves(3) })
    detail.act('sendBack')
    expect(detail.mode).toBeNull()
  })

  it('explains when rejecting has stopped', () => {
    open()
    detail.onDecide.mockReturnValue($q.reject({ code: 'rejections_halted' }))
    detail.send('reject', {})
    $rootScope.$digest()
    expect(detail.halted).toBe(true)
    expect(detail.problem).toBeNull()
  })

  it('does nothing by key once it is decided, except overturn a rejection that is not final', () => {
    open({ state: 'accepted' })
    detail.act('accept')
    detail.act('reject')
    expect(detail.onDecide).not.toHaveBeenCalled()
    expect(detail.mode).toBeNull()
    open({ state: 'rejected', settles_at: '2026-01-01T00:00:00Z' })
    detail.act('accept')
    expect(detail.onDecide).toHaveBeenCalledTimes(1)
  })

  it('pays a part, never more than the reward', () => {
    open({ state: 'expired' })
    detail.askPay('payPartial')
    expect(detail.paying.text).toBe('0.08')
    detail.paying.text = '0.16'
    detail.paying.reason = 'The page broke down'
    detail.pay()
    expect(detail.onPay).not.toHaveBeenCalled()
    detail.paying.text = '0.10'
    detail.pay()
    expect(detail.onPay).toHaveBeenCalledWith({ verb: 'payPartial', body: { amount: { amount: 10, currency: 'USD' }, reason: 'The page broke down' } })
  })
})
