import angular from 'angular'
import { beforeEach, describe, expect, it } from 'vitest'
import '../projects.module.js'

describe('a row of the project list', () => {
  let list

  beforeEach(() => {
    angular.mock.module('guildhall.projects')
    angular.mock.inject(($componentController) => (list = $componentController('ghProjectList')))
  })

  it.each([
    ['draft', true, '/projects/p/edit'],
    ['draft', false, '/projects/p'],
    ['published', true, '/projects/p'],
    ['closed', false, '/projects/p'],
  ])('that is %s, with the right to edit: %s, leads to %s', (state, edit, address) => {
    expect(list.addressOf({ id: 'p', state, may: { edit } })).toBe(address)
  })
})
