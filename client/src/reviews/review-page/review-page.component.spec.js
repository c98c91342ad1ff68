import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../reviews.module.js'

const row = (id, state = 'submitted') => ({ id, state, worker: 'K7Q2', task: { id, key: id }, answer: { label: '1' } })

describe('the review table', () => {
  let $q, $rootScope, Review, page

  beforeEach(() => {
    angular.mock.module('guildhall.reviews')
    angular.mock.inject((_$q_, _$rootScope_, $componentController, $routeParams, _Review_, Project) => {
      ;[$q, $rootScope, Review] = [_$q_, _$rootScope_, _Review_]
      $routeParams.id = 'p'
      vi.spyOn(Project, 'get').mockReturnValue({ $promise: $q(() => {}) })
      vi.spyOn(Project, 'progress').mockReturnValue({ $promise: $q(() => {}) })
      page = $componentController('ghReviewPage', { $element: [document.createElement('div')], $scope: $rootScope.$new() })
    })
    vi.spyOn(Review, 'ofProject').mockReturnValue({ $promise: $q.resolve([]) })
    vi.spyOn(Review, 'get').mockImplementation(({ id }) => ({ $promise: $q.resolve({ ...row(id), answer: { label: '0' } }) }))
    vi.spyOn(Review, 'version').mockReturnValue({ $promise: $q(() => {}) })
    page.rows = Object.assign([row('a'), row('b'), row('c', 'sent_back')], { $next: '/more' })
    page.openId = 'b'
    page.open = page.shown = row('b')
    page.loadedAt = 0
  })

  const told = (...events) => {
    page.happened(events.map(([subject, event, project = 'p']) => ({ subject, event, data: { project } })))
    $rootScope.$digest()
  }

  it('shows what others decided in its place', () => {
    told(['a', 'assignment.accepted'])
    expect(page.rows.map(({ id, state }) => [id, state])).toEqual([['a', 'accepted'], ['b', 'submitted'], ['c', 'sent_back']])
    expect(page.rows.$next).toBe('/more')
    expect([page.openId, page.openMoved]).toEqual(['b', undefined])
  })

  it('leaves the open one as it is, and says that it was changed', () => {
    const { open } = page
    told(['b', 'assignment.rejected'])
    expect(page.open).toBe(open)
    expect(page.openMoved).toBe('rejected')
  })

  it('reads anew what a worker has done again', () => {
    told(['c', 'assignment.submitted'])
    expect(page.rows[2]).toMatchObject({ state: 'submitted', answer: { label: '0' } })
  })

  it('announces new answers, and moves nothing', () => {
    Review.ofProject.mockReturnValue({ $promise: $q.resolve([row('d'), row('e')]) })
    told(['d', 'assignment.submitted'], ['e', 'assignment.submitted'])
    expect(page.arrived).toBe(2)
    expect(page.rows.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })

  it('fills itself when nothing was there', () => {
    page.rows = []
    Review.ofProject.mockReturnValue({ $promise: $q.resolve([row('d')]) })
    told(['d', 'assignment.submitted'])
    expect(page.rows.map(({ id }) => id)).toEqual(['d'])
  })

  it('does not care for other projects', () => {
    told(['a', 'assignment.accepted', 'q'])
    expect(page.rows[0].state).toBe('submitted')
    expect(Review.ofProject).not.toHaveBeenCalled()
  })
})
