import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../projects.module.js'

const VERSION = {
  number: 1, title: 'Ducks', summary: '', instructions: 'Look.', instructions_html: '<p>Look.</p>', interface: { kind: 'elements', elements: [] }, input_schema: {}, answer_schema: {},
  reward: { amount: 15, currency: 'USD' }, assignments_per_task: 2, claim_lasts: 600, auto_accept_after: 259_200, keywords: [], published_at: '2026-01-01T00:00:00Z',
}
const SECOND = { ...VERSION, number: 2, instructions: 'Look twice.', reward: { amount: 20, currency: 'USD' } }
const DRAFT = { ...SECOND, number: 3, published_at: null }
const PROJECT = { id: 'p', title: 'Ducks', published: SECOND, draft: DRAFT, may: {} }

describe('a version of a project', () => {
  let $compile, $location, $q, $rootScope, $routeParams, Project, pages

  beforeEach(() => {
    angular.mock.module('guildhall.projects')
    angular.mock.inject((_$compile_, _$location_, _$q_, _$rootScope_, _$routeParams_, _Project_, _pages_) => {
      ;[$compile, $location, $q, $rootScope, $routeParams, Project, pages] = [_$compile_, _$location_, _$q_, _$rootScope_, _$routeParams_, _Project_, _pages_]
    })
    vi.spyOn(Project, 'tasks').mockReturnValue({ $promise: $q.resolve([]) })
    vi.spyOn(Project, 'versions').mockReturnValue({ $promise: $q.resolve([DRAFT, SECOND, VERSION]) })
  })

  const shown = (number, project = PROJECT) => {
    Object.assign($routeParams, { id: 'p', number: String(number) })
    vi.spyOn(Project, 'get').mockReturnValue({ $promise: $q.resolve(project) })
    const page = $compile('<gh-project-version></gh-project-version>')($rootScope.$new())
    $rootScope.$digest()
    return page[0]
  }
  const changes = (page) => page.querySelector('[aria-labelledby="version-changes"]')

  it('can be read, with what it changed against the one before', () => {
    const page = shown(2)
    expect(page.querySelector('h1').textContent).toContain('what workers get now')
    expect(changes(page).querySelector('tbody').textContent).toMatch(/Reward.*\$0\.15.*\$0\.20/)
    expect([...changes(page).querySelectorAll('.version-lines > div')].map((line) => line.textContent)).toEqual(['gone: -Look.', 'new: +Look twice.'])
  })

  it('leads to its neighbours', () => {
    const ways = (page) => [...page.querySelectorAll('nav a')].map((way) => way.getAttribute('href'))
    expect(ways(shown(1))).toEqual(['/projects/p/versions/2'])
    expect(ways(shown(2))).toEqual(['/projects/p/versions/1', '/projects/p/versions/3'])
  })

  it('has nothing to compare with when it is the first', () => {
    const page = shown(1)
    expect(changes(page)).toBeNull()
    expect(page.querySelector('h1').textContent).toContain('replaced')
  })

  it('may be a draft, and the same as what is published', () => {
    const page = shown(3)
    expect(page.querySelector('h1').textContent).toContain('draft')
    expect(changes(page).textContent).toContain('Nothing')
  })

  it('is looked for on further pages of the list', () => {
    Project.versions.mockReturnValue({ $promise: $q.resolve(Object.assign([DRAFT, SECOND], { $next: '/more' })) })
    vi.spyOn(pages, 'more').mockImplementation((list) => $q.resolve(Object.assign([...list, VERSION], { $next: null })))
    expect(changes(shown(2)).textContent).toContain('against version 1')
  })

  it('that does not exist is said not to', () => {
    expect(shown(7).textContent).toContain('There is no such version')
  })

  it('can be tried again when it could not be loaded', () => {
    Project.versions.mockReturnValueOnce({ $promise: $q.reject({ detail: 'The database is away.' }) })
    const page = shown(1)
    expect(page.querySelector('[role=alert]').textContent).toContain('The database is away.')
    page.querySelector('[role=alert] button').click()
    $rootScope.$digest()
    expect(page.querySelector('[role=alert]')).toBeNull()
    expect(page.querySelector('h1').textContent).toContain('Ducks')
  })

  it('of others is not shown; they are led to the offer', () => {
    shown(1, { id: 'p', title: 'Ducks', published: SECOND })
    expect($location.url()).toBe('/feed/p')
  })
})
