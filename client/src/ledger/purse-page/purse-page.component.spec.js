import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../ledger.module.js'

const PURSE = { id: 'u', name: 'Pond', kind: 'purse', balance: { amount: 5000, currency: 'USD' }, collective: { id: 'c' } }
const deposit = (id, state = 'confirmed') => ({ id, state, amount: { amount: 100, currency: 'USD' }, created_at: '2026-01-01T00:00:00Z' })
const BROKEN = { detail: 'The database is away.' }

describe('the page of a purse', () => {
  let $compile, $q, $rootScope, Purse, pages, answers

  beforeEach(() => {
    angular.mock.module('guildhall.ledger')
    angular.mock.inject((_$compile_, _$q_, _$rootScope_, $routeParams, _Purse_, _pages_) => {
      $routeParams.id = 'u'
      ;[$compile, $q, $rootScope, Purse, pages] = [_$compile_, _$q_, _$rootScope_, _Purse_, _pages_]
    })
    answers = { get: $q.resolve(PURSE), query: $q.resolve([]), statement: $q.resolve([]), deposits: $q.resolve([]), payouts: $q.resolve([]) }
    for (const name of Object.keys(answers)) vi.spyOn(Purse, name).mockImplementation(() => ({ $promise: answers[name] }))
  })

  const shown = () => {
    const page = $compile('<gh-purse-page></gh-purse-page>')($rootScope.$new())
    $rootScope.$digest()
    return page[0]
  }
  const section = (page, name) => page.querySelector(`[aria-labelledby="${name}-title"]`)

  it.each(['deposits', 'payouts'])('says while %s are on their way, and when there are none', (name) => {
    const waiting = $q.defer()
    answers[name] = waiting.promise
    const page = shown()
    expect(section(page, name).querySelector('.skeleton')).not.toBeNull()
    waiting.resolve([])
    $rootScope.$digest()
    expect(section(page, name).querySelector('.skeleton')).toBeNull()
    expect(section(page, name).textContent).toContain('None yet.')
  })

  it.each(['deposits', 'payouts'])('says that %s could not be loaded, and tries again', (name) => {
    answers[name] = $q.reject(BROKEN)
    const page = shown()
    expect(section(page, name).querySelector('[role=alert]').textContent).toContain(BROKEN.detail)
    answers[name] = $q.resolve([deposit('d')])
    section(page, name).querySelector('[role=alert] button').click()
    $rootScope.$digest()
    expect(section(page, name).querySelector('[role=alert]')).toBeNull()
    expect(section(page, name).querySelectorAll('li')).toHaveLength(1)
  })

  it('keeps what it shows when a later look fails', () => {
    answers.deposits = $q.resolve([deposit('d')])
    const page = shown()
    answers.deposits = $q.reject(BROKEN)
    angular.element(page).controller('ghPursePage').refresh()
    $rootScope.$digest()
    expect(section(page, 'deposits').querySelector('[role=alert]')).toBeNull()
    expect(section(page, 'deposits').querySelectorAll('li')).toHaveLength(1)
  })

  it('shows what is new above further pages that are open', () => {
    answers.deposits = $q.resolve(Object.assign([deposit('d2', 'waiting')], { $next: '/more' }))
    const page = shown()
    vi.spyOn(pages, 'more').mockImplementation((list) => $q.resolve(Object.assign([...list, deposit('d1')], { $next: null })))
    section(page, 'deposits').querySelector('gh-pager button').click()
    $rootScope.$digest()
    answers.deposits = $q.resolve(Object.assign([deposit('d3')], { $next: '/more' }))
    angular.element(page).controller('ghPursePage').refresh()
    $rootScope.$digest()
    expect(section(page, 'deposits').querySelectorAll('li')).toHaveLength(3)
    expect(section(page, 'deposits').querySelector('gh-pager button')).toBeNull()
  })
})
