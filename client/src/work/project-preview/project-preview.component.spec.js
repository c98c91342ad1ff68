import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../work.module.js'

const CARD = { project: 'p', title: 'Ducks', requester: { name: 'Pond' }, version: 'v', reward: { amount: 15, currency: 'USD' }, median_seconds: null, review_seconds: null, rejection_rate: null, example_input: null }

describe('the preview of a project', () => {
  let shown

  beforeEach(() => {
    angular.mock.module('guildhall.work')
    angular.mock.inject(($compile, $q, $rootScope, Feed, versions) => {
      vi.spyOn(versions, 'get').mockReturnValue($q.resolve({ interface: { kind: 'elements', elements: [] } }))
      shown = (more) => {
        vi.spyOn(Feed, 'get').mockReturnValue({ $promise: $q.resolve({ ...CARD, ...more }) })
        const page = $compile('<gh-project-preview></gh-project-preview>')($rootScope.$new())
        $rootScope.$digest()
        return page[0].querySelector('.head .go')
      }
    })
  })

  it.each([[{ tasks_left: 3, mine: 0 }, 'Start', false], [{ tasks_left: 0, mine: 0 }, 'Start', true]])('%j', (more, words, disabled) => {
    const button = shown(more)
    expect([button.textContent, button.disabled]).toEqual([words, disabled])
  })

  it('leads back to a task in hand, also when it is the last', () => {
    const button = shown({ tasks_left: 0, mine: 1 })
    expect([button.textContent, button.disabled]).toEqual(['Go on', false])
  })
})
