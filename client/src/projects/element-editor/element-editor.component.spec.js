import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../projects.module.js'
import { valueOf } from './element-editor.component.js'

it('makes a value of a label', () => {
  expect(valueOf('Yes, a duck!')).toBe('yes_a_duck')
  expect(valueOf('Größe é')).toBe('gro_e_e')
  expect(valueOf('你好')).toBe('')
})

describe('the element editor', () => {
  let editor

  function open(element, taken = []) {
    angular.mock.module('guildhall.projects')
    angular.mock.inject(($componentController) => {
      editor = $componentController('ghElementEditor', {}, { element, taken, onChange: vi.fn() })
      editor.$onChanges({ element: {} })
    })
  }
  const emitted = () => editor.onChange.mock.lastCall[0].element

  beforeEach(() => (editor = null))

  it('lets the value follow the label until somebody sets it', () => {
    open({ ask: 'choice', key: 'k', label: 'Q', options: [{ value: 'yes', label: 'Yes' }, { value: '0', label: 'No' }] })
    editor.draft.options[0].label = 'Yes, sure'
    editor.labelled(0)
    expect(emitted().options[0].value).toBe('yes_sure')
    editor.draft.options[1].label = 'Not at all'
    editor.labelled(1)
    expect(emitted().options[1].value).toBe('0')
  })

  it('keeps whole numbers whole numbers', () => {
    open({ ask: 'choice', key: 'k', label: 'Q', options: [{ value: 1, label: 'One' }, { value: 2, label: 'Two' }] })
    editor.draft.options[1].value = '3'
    editor.valued(1)
    expect(emitted().options[1].value).toBe(3)
  })

  it('leaves out what is empty, and keeps what the element may have', () => {
    open({ ask: 'number', key: 'k', label: 'Q', required: true, min: 0, max: 9 })
    editor.draft.max = null
    editor.draft.help = ''
    editor.changed()
    expect(emitted()).toEqual({ ask: 'number', key: 'k', label: 'Q', required: true, min: 0 })
  })

  it('never has a column and a text at once', () => {
    open({ show: 'text', from: 'text' })
    editor.source = 'literal'
    editor.setSource()
    expect(emitted()).not.toHaveProperty('from')
    editor.source = 'column'
    editor.setSource()
    expect(emitted()).toEqual({ show: 'text', from: 'text' })
  })

  it('puts each problem at its field, and names the option of the others', () => {
    open({ ask: 'choice', key: 'k', label: '', options: [] })
    editor.problems = [
      { field: 'interface.elements.3.label', detail: 'Write a text here.' },
      { field: 'interface.elements.3.options.1.value', detail: 'Another option has this value already.' },
      { field: 'interface.elements.3', detail: 'Something else.' },
    ]
    editor.$onChanges({ problems: {} })
    expect(editor.at).toEqual({ label: 'Write a text here.' })
    expect(editor.others).toEqual(['Option 2: Another option has this value already.', 'Something else.'])
  })

  it('says when two questions have one name', () => {
    open({ ask: 'text', key: 'k', label: 'Q' }, ['k', 'k'])
    expect(editor.keyProblem()).toMatch(/Another question/)
  })
})
