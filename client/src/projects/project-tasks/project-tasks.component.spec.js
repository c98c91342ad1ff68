import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../projects.module.js'

const BATCH = { id: 'b', filename: 'ponds.csv', state: 'done', added: 6, duplicates: 0, rejected: 0, created_at: '2026-01-01T00:00:00Z' }

describe('the imports so far', () => {
  let aside, first, waiting, $q, $rootScope

  beforeEach(() => {
    angular.mock.module('guildhall.projects')
    angular.mock.inject(($compile, _$q_, _$rootScope_, pages) => {
      ;[$q, $rootScope] = [_$q_, _$rootScope_]
      waiting = $q.defer()
      first = vi.spyOn(pages, 'first').mockReturnValue(waiting.promise)
      const scope = Object.assign($rootScope.$new(), { project: { id: 'p', state: 'draft' }, version: { input_schema: {} } })
      const step = $compile('<gh-project-tasks project="project" version="version"></gh-project-tasks>')(scope)
      $rootScope.$digest()
      aside = step[0].querySelector('aside')
    })
  })

  const comes = (promise) => {
    waiting.resolve(promise)
    $rootScope.$digest()
  }

  it('are waited for, and there may be none', () => {
    expect(aside.querySelector('.skeleton')).not.toBeNull()
    comes([])
    expect(aside.querySelector('.skeleton')).toBeNull()
    expect(aside.textContent).toContain('None yet.')
  })

  it('say when they could not be loaded, and are asked for again', () => {
    comes($q.reject({ detail: 'The database is away.' }))
    expect(aside.querySelector('[role=alert]').textContent).toContain('The database is away.')
    first.mockReturnValue($q.resolve([BATCH]))
    aside.querySelector('[role=alert] button').click()
    $rootScope.$digest()
    expect(aside.querySelector('[role=alert]')).toBeNull()
    expect(aside.textContent).toContain('ponds.csv')
  })
})
