import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../projects.module.js'

const VERSION = { title: 'Ducks', summary: '', interface: { kind: 'elements', elements: [] }, input_schema: {}, answer_schema: {}, reward: { amount: 15, currency: 'USD' } }
const OFFER = { id: 'p', state: 'published', title: 'Ducks', collective: { id: 'c', name: 'C' }, published: VERSION }
const COUNTS = { tasks: 2, open_places: 2, claimed: 0, submitted: 0, sent_back: 0, accepted: 0, rejected: 0 }
const MAY = { edit: true, import: true, pause: true, resume: false, close: true }

describe('the page of a project', () => {
  let $compile, $location, $q, $rootScope, Project

  beforeEach(() => {
    angular.mock.module('guildhall.projects')
    angular.mock.inject((_$compile_, _$location_, _$q_, _$rootScope_, $routeParams, _Project_) => {
      $routeParams.id = 'p'
      ;[$compile, $location, $q, $rootScope, Project] = [_$compile_, _$location_, _$q_, _$rootScope_, _Project_]
    })
    vi.spyOn(Project, 'versions').mockReturnValue({ $promise: $q.resolve([]) })
    vi.spyOn(Project, 'progress').mockReturnValue({ $promise: $q.reject({ status: 403 }) })
  })

  const shown = (project) => {
    vi.spyOn(Project, 'get').mockReturnValue({ $promise: $q.resolve(project) })
    const page = $compile('<gh-project-page></gh-project-page>')($rootScope.$new())
    $rootScope.$digest()
    return page[0]
  }
  const acts = (page) => [...page.querySelectorAll('.project-head .btns > *')].map((one) => one.textContent.trim())

  it('offers its owner what can be done now', () => {
    expect(acts(shown({ ...OFFER, draft: null, counts: COUNTS, may: MAY }))).toEqual(['Add tasks', 'Edit', 'Pause', 'Close'])
  })

  it('offers a member nothing that their collective does not let them do', () => {
    const none = Object.fromEntries(Object.keys(MAY).map((verb) => [verb, false]))
    expect(acts(shown({ ...OFFER, draft: null, counts: COUNTS, may: none }))).toEqual([])
  })

  const ways = (page) => [...page.querySelectorAll('a[href*="/versions/"]')].map((way) => way.getAttribute('href'))

  it('leads to each version', () => {
    const published = [2, 1].map((number) => ({ ...VERSION, number, published_at: '2026-01-01T00:00:00Z' }))
    Project.versions.mockReturnValue({ $promise: $q.resolve(published) })
    expect(ways(shown({ ...OFFER, version: 2, draft: null, counts: COUNTS, may: MAY }))).toEqual(['/projects/p/versions/2', '/projects/p/versions/1'])
  })

  it('lets those read a draft who may not write it', () => {
    const draft = { ...OFFER, state: 'draft', published: null, draft: { ...VERSION, number: 1 }, counts: COUNTS }
    expect(ways(shown({ ...draft, may: {} }))).toEqual(['/projects/p/versions/1'])
  })

  it('tries again when the progress could not be loaded', () => {
    const page = shown({ ...OFFER, draft: null, counts: COUNTS, may: MAY })
    Project.progress.mockReturnValue({ $promise: $q.resolve({ workers: 3, review: { rejection_rate: null } }) })
    page.querySelector('gh-failed button').click()
    $rootScope.$digest()
    expect(page.querySelector('gh-failed')).toBeNull()
  })

  it('says when the versions could not be loaded', () => {
    Project.versions.mockReturnValue({ $promise: $q.reject({ detail: 'The database is away.' }) })
    expect(shown({ ...OFFER, draft: null, counts: COUNTS, may: MAY }).textContent).toContain('The versions could not be loaded.')
  })

  it('counts no rejected answer as one that fills a place', () => {
    const page = shown({ ...OFFER, state: 'closed', draft: null, counts: { ...COUNTS, open_places: 0, accepted: 4, sent_back: 1, rejected: 1 }, may: {} })
    expect(page.querySelector('gh-fact').textContent).toContain('5 / 5')
  })

  it('leads others to the offer', () => {
    shown(OFFER)
    expect($location.url()).toBe('/feed/p')
  })
})
