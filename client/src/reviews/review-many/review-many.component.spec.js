import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../reviews.module.js'
import { filterOf } from '../review-filter.js'

HTMLDialogElement.prototype.showModal ??= function () {
  this.open = true
}
HTMLDialogElement.prototype.close ??= function () {
  this.open = false
}

const REASON = 'None of these pictures shows a duck.'

describe('the dialog about many answers', () => {
  let $q, $rootScope, $timeout, Review, pages, scope, host

  beforeEach(() => {
    angular.mock.module('guildhall.reviews')
    angular.mock.inject((_$q_, _$rootScope_, _$timeout_, _Review_, _pages_) => {
      ;[$q, $rootScope, $timeout, Review, pages] = [_$q_, _$rootScope_, _$timeout_, _Review_, _pages_]
    })
    vi.spyOn(Review, 'ofProject').mockReturnValue({ $promise: $q.resolve([{ id: 'a' }, { id: 'b' }]) })
    for (const verb of ['rejectMany', 'sendBackMany']) vi.spyOn(Review, verb).mockImplementation((_, { ids }) => ({ $promise: $q.resolve({ changed: ids.length, skipped: [] }) }))
  })

  const open = (verb) => {
    angular.mock.inject(($compile) => {
      scope = Object.assign($rootScope.$new(), { verb, version: { claim_lasts: 900 }, filter: filterOf({ worker: 'K7Q2' }), done: vi.fn(), close: vi.fn(() => (scope.verb = null)) })
      host = $compile('<gh-review-many verb="verb" project="\'p\'" version="version" filter="filter" words="\'from worker K7Q2\'" on-done="done(words)" on-close="close()"></gh-review-many>')(scope)[0]
    })
    $rootScope.$digest()
    return angular.element(host).controller('ghReviewMany')
  }
  const press = () => {
    host.querySelector('form').dispatchEvent(new Event('submit'))
    $rootScope.$digest()
  }

  it('is about the submitted answers that the filter shows', () => {
    open('rejectMany')
    expect(Review.ofProject).toHaveBeenCalledWith({ project: 'p', worker: 'K7Q2', state: 'submitted', order: 'oldest', limit: 200 })
    expect(host.textContent).toContain('2 submitted answers from worker K7Q2 will be rejected')
  })

  it('gathers them from every page', () => {
    Review.ofProject.mockReturnValue({ $promise: $q.resolve(Object.assign([{ id: 'a' }], { $next: '/more' })) })
    vi.spyOn(pages, 'more').mockImplementation((rows) => $q.resolve(Object.assign([...rows, { id: 'b' }, { id: 'c' }], { $next: null })))
    expect(open('rejectMany').ids).toEqual(['a', 'b', 'c'])
  })

  it('rejects only with a category and a reason of 20 characters', () => {
    const dialog = open('rejectMany')
    dialog.text = 'x'.repeat(19)
    press()
    expect(Review.rejectMany).not.toHaveBeenCalled()
    expect(Object.keys(dialog.errors)).toEqual(['category', 'text'])
    Object.assign(dialog, { text: REASON, category: 'wrong' })
    press()
    expect(Review.rejectMany).toHaveBeenCalledExactlyOnceWith({ project: 'p' }, { ids: ['a', 'b'], category: 'wrong', reason: REASON })
    expect(scope.done).toHaveBeenCalledWith('2 answers rejected.')
    expect(scope.close).toHaveBeenCalled()
  })

  it('sends back with a comment and a time of a day at least', () => {
    const dialog = open('sendBackMany')
    dialog.text = 'Look again.'
    press()
    expect(Review.sendBackMany).toHaveBeenCalledWith({ project: 'p' }, { ids: ['a', 'b'], comment: 'Look again.', lasts: 86_400 })
  })

  it('tells what could not be, and stays open for it', () => {
    const dialog = open('rejectMany')
    Review.rejectMany.mockReturnValue({ $promise: $q.resolve({ changed: 1, skipped: ['b'] }) })
    Object.assign(dialog, { text: REASON, category: 'wrong' })
    press()
    expect(host.querySelector('[role=alert]').textContent).toMatch(/1 rejected, 1 could not be:\s*decided meanwhile/)
    expect(scope.done).toHaveBeenCalledWith(null)
    expect(scope.close).not.toHaveBeenCalled()
  })

  it('shows how far it is after a second, and can be stopped', () => {
    const waiting = $q.defer()
    Review.ofProject.mockReturnValue({ $promise: $q.resolve(Array.from({ length: 60 }, (_, number) => ({ id: `a${number}` }))) })
    const dialog = open('rejectMany')
    Review.rejectMany.mockReturnValue({ $promise: waiting.promise })
    Object.assign(dialog, { text: REASON, category: 'wrong' })
    press()
    expect(host.querySelector('progress')).toBeNull()
    $timeout.flush(1000)
    expect(host.querySelector('progress')).not.toBeNull()
    dialog.close()
    waiting.resolve({ changed: 50, skipped: [] })
    $rootScope.$digest()
    expect(Review.rejectMany).toHaveBeenCalledTimes(1)
    expect(host.querySelector('[role=alert]').textContent).toMatch(/50 rejected, 10 could not be:\s*not tried/)
  })

  it('says when the answers could not be gathered, and tries again', () => {
    Review.ofProject.mockReturnValueOnce({ $promise: $q.reject({ detail: 'The database is away.' }) })
    open('rejectMany')
    host.querySelector('[role=alert] button').click()
    $rootScope.$digest()
    expect(host.textContent).toContain('2 submitted answers')
  })
})
