import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../projects.module.js'

const VERSION = { title: 'T', summary: '', instructions: '', interface: {}, input_schema: {}, answer_schema: {}, reward: { amount: 15, currency: 'USD' }, assignments_per_task: 1, claim_lasts: 900, auto_accept_after: 259200, max_tasks_per_worker: null, keywords: [], expected_minutes: null, instructions_html: '' }
const PROJECT = { id: 'p', state: 'draft', collective: { id: 'c', name: 'C' }, draft: VERSION, published: null, may: { edit: true, publish: true } }

describe('the project editor', () => {
  let editor, $timeout, $q, $rootScope, Project

  beforeEach(() => {
    angular.mock.module('guildhall.projects')
    angular.mock.inject(($componentController, _$timeout_, _$q_, _$rootScope_, _Project_) => {
      $timeout = _$timeout_
      $q = _$q_
      $rootScope = _$rootScope_
      Project = _Project_
      const at = (value) => ({ $promise: $q.resolve(value) })
      vi.spyOn(Project, 'get').mockReturnValue(at(PROJECT))
      vi.spyOn(Project, 'tasks').mockReturnValue(at([{ input: { a: 1 } }]))
      vi.spyOn(Project, 'quote').mockReturnValue(at({ problems: [] }))
      editor = $componentController('ghProjectEditor', { $routeParams: { id: 'p' } })
      editor.$onInit()
      $rootScope.$digest()
    })
  })

  const answer = () => {
    const deferred = $q.defer()
    vi.spyOn(Project, 'change').mockReturnValueOnce({ $promise: deferred.promise })
    return deferred
  }

  it('is not for those who may neither edit nor import', () => {
    angular.mock.inject(($location) => {
      Project.get.mockReturnValue({ $promise: $q.resolve({ ...PROJECT, may: { edit: false, import: false } }) })
      editor.load()
      $rootScope.$digest()
      expect($location.url()).toBe('/projects/p')
    })
  })

  it('sends several changes as one, a little after the last', () => {
    const deferred = answer()
    editor.change({ title: 'A' })
    editor.change({ title: 'B', summary: 's' })
    expect(Project.change).not.toHaveBeenCalled()
    expect(editor.isUnsaved).toBe(true)
    $timeout.flush(800)
    expect(Project.change).toHaveBeenCalledExactlyOnceWith({ id: 'p' }, { title: 'B', summary: 's' })
    deferred.resolve({ ...PROJECT, draft: { ...VERSION, title: 'B' } })
    $rootScope.$digest()
    expect(editor.isUnsaved).toBe(false)
    expect(editor.saveState).toBe('saved')
    expect(Project.quote).toHaveBeenCalledTimes(2)
  })

  it('sends one call at a time, so that an older change never overtakes a newer', () => {
    const first = answer()
    editor.change({ title: 'A' })
    $timeout.flush(800)
    editor.change({ title: 'B' })
    $timeout.flush(800)
    expect(Project.change).toHaveBeenCalledTimes(1)
    answer()
    first.resolve(PROJECT)
    $rootScope.$digest()
    expect(Project.change).toHaveBeenLastCalledWith({ id: 'p' }, { title: 'B' })
  })

  it('keeps a refused change and sends it again with the next, the newer value winning', () => {
    const first = answer()
    editor.change({ title: '', summary: 's' })
    $timeout.flush(800)
    first.reject({ detail: 'No.', errors: [], fields: { title: 'Write a title.' } })
    $rootScope.$digest()
    expect(editor.saveState).toBe('refused')
    expect(editor.errors.title).toBe('Write a title.')
    expect(editor.version.summary).toBe('s')
    answer()
    editor.change({ title: 'B' })
    $timeout.flush(800)
    expect(Project.change).toHaveBeenLastCalledWith({ id: 'p' }, { title: 'B', summary: 's' })
  })

  it('saves at once when it is left', () => {
    answer()
    editor.change({ title: 'A' })
    editor.$onDestroy()
    expect(Project.change).toHaveBeenCalledTimes(1)
  })

  it('previews with the first task there is', () => {
    expect(editor.sample).toEqual({ a: 1 })
  })
})
