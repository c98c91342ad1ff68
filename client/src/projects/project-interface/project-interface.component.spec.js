import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../projects.module.js'
import { schemasOf } from '../schemas.js'
import { ownHtml } from './project-interface.component.js'

const ELEMENTS = [{ show: 'text', from: 'text' }, { ask: 'text', key: 'note', label: 'Note' }]

describe('the interface step', () => {
  let step, changes, $timeout, $q, Project

  function open(version) {
    angular.mock.module('guildhall.projects')
    angular.mock.inject(($componentController, $rootScope, _$timeout_, _$q_, _Project_) => {
      $timeout = _$timeout_
      $q = _$q_
      Project = _Project_
      vi.spyOn(Project, 'check').mockReturnValue({ $promise: $q.resolve({ problems: [{ field: 'interface.elements.1.label', detail: 'Write a text here.' }] }) })
      const onChange = (given) => {
        changes = given.changes
        return { ...version, ...changes }
      }
      step = $componentController('ghProjectInterface', { $element: [document.createElement('div')], $scope: $rootScope.$new() }, { version, onChange })
      step.$onChanges({ version: {} })
    })
  }

  beforeEach(() => (changes = null))

  it('makes the schemas anew with every element', () => {
    open({ interface: {}, input_schema: {}, answer_schema: {} })
    step.add('show:image')
    step.add('ask:choice')
    expect(changes.interface.elements).toHaveLength(2)
    expect(changes).toMatchObject(schemasOf(changes.interface.elements))
    step.remove(0)
    expect(changes.input_schema.required).toEqual([])
    step.putBack()
    expect(changes.interface.elements[0].show).toBe('image')
  })

  it('leaves schemas alone that somebody wrote, until told otherwise', () => {
    const handmade = { ...schemasOf(ELEMENTS).input_schema, maxProperties: 3 }
    open({ interface: { kind: 'elements', elements: ELEMENTS }, ...schemasOf(ELEMENTS), input_schema: handmade })
    expect(step.auto).toBe(false)
    step.add('show:image')
    expect(changes.input_schema).toEqual(handmade)
    step.followElements()
    expect(changes.input_schema.required).toEqual(['text', 'image'])
  })

  it('keeps the elements while own HTML is tried', () => {
    open({ interface: { kind: 'elements', elements: ELEMENTS }, ...schemasOf(ELEMENTS) })
    step.kind = 'html'
    step.setKind()
    expect(changes.interface.html).toContain('data-from="text"')
    expect(changes.interface.html).toContain('name="note"')
    expect(changes.answer_schema).toEqual(schemasOf(ELEMENTS).answer_schema)
    step.kind = 'elements'
    step.setKind()
    expect(changes.interface.elements).toEqual(ELEMENTS)
    expect(step.auto).toBe(true)
  })

  it('does not save an address before it is one', () => {
    open({ interface: { kind: 'elements', elements: ELEMENTS }, ...schemasOf(ELEMENTS) })
    step.kind = 'url'
    step.setKind()
    expect(changes).toBeNull()
    step.interface.url = 'https://example.org/{text}'
    step.changed()
    expect(changes.interface).toEqual({ kind: 'url', url: 'https://example.org/{text}' })
  })

  it('moves an element and keeps the open one open', () => {
    open({ interface: { kind: 'elements', elements: ELEMENTS }, ...schemasOf(ELEMENTS) })
    step.open = 1
    step.move(1, -1)
    expect(changes.interface.elements[0].key).toBe('note')
    expect(step.open).toBe(0)
    expect(step.moved).toContain('number 1 of 2')
  })

  it('shows each problem at its element', () => {
    open({ interface: { kind: 'elements', elements: ELEMENTS }, ...schemasOf(ELEMENTS) })
    $timeout.flush(500)
    expect(step.ofElement[1]).toHaveLength(1)
    expect(step.general).toEqual([])
  })
})

it('begins own HTML with what there is', () => {
  expect(ownHtml(['a'], ['b'])).toBe('<form>\n  <p data-from="a"></p>\n  <p><label>b <input name="b"></label></p>\n  <button>Done</button>\n</form>\n')
})
