import angular from 'angular'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import '../shared.module.js'

const EVERYTHING = {
  kind: 'elements',
  elements: [
    { show: 'text', from: 'text' },
    { ask: 'choice', key: 'label', label: 'Is it?', required: true, options: [{ value: '1', label: 'Yes' }, { value: '0', label: 'No' }] },
    { ask: 'choices', key: 'tags', label: 'Which?', options: [{ value: 'a', label: 'A' }, { value: 'b', label: 'B' }] },
    { ask: 'text', key: 'note', label: 'Note', multiline: true, max_length: 20 },
    { ask: 'number', key: 'count', label: 'How many?', min: 0, max: 9 },
    { ask: 'scale', key: 'mood', label: 'How?', min: 1, max: 5 },
    { ask: 'date', key: 'day', label: 'When?' },
    { ask: 'ranking', key: 'order', label: 'Order?', options: [{ value: 'x', label: 'X' }, { value: 'y', label: 'Y' }] },
  ],
}

describe('gh-interface', () => {
  let scope, host

  beforeEach(() => angular.mock.module('guildhall.shared'))
  afterEach(() => {
    scope.$destroy()
    host.remove()
  })

  function draw(more = {}) {
    angular.mock.inject(($compile, $rootScope) => {
      scope = Object.assign($rootScope.$new(), {
        doc: EVERYTHING,
        input: { text: '<img src=x onerror=alert(1)> {{ 7 * 7 }}' },
        answer: {},
        shortcuts: true,
        changed: vi.fn((answer) => (scope.answer = answer)),
        ...more,
      })
      const template =
        '<gh-interface interface="doc" input="input" answer="answer" problems="problems" read-only="readOnly" shortcuts="shortcuts" on-change="changed(answer, complete)"></gh-interface>'
      host = $compile(template)(scope)[0]
    })
    document.body.append(host)
    scope.$digest()
  }

  const find = (selector) => host.querySelector(selector)
  const type = (control, value) => {
    control.value = value
    control.dispatchEvent(new Event('input', { bubbles: true }))
    scope.$digest()
  }
  const press = (key, target = document.body) => {
    target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
    scope.$digest()
  }

  it('shows foreign text as text', () => {
    draw()
    expect(find('.show-plain').textContent).toBe('<img src=x onerror=alert(1)> {{ 7 * 7 }}')
    expect(find('.show img')).toBe(null)
  })

  it('gives every control a name', () => {
    draw()
    for (const control of host.querySelectorAll('input:not([type=radio], [type=checkbox]), textarea')) {
      expect(host.querySelector(`label[for="${control.id}"]`)).not.toBe(null)
    }
    for (const group of host.querySelectorAll('fieldset')) expect(group.querySelector('legend').textContent.trim()).not.toBe('')
  })

  it('collects typed values, and takes emptied ones out', () => {
    draw()
    type(find('textarea'), 'hello')
    type(find('input[type=number]'), '4')
    type(find('input[type=date]'), '2026-03-04')
    expect(scope.answer).toEqual({ note: 'hello', count: 4, day: '2026-03-04' })
    type(find('textarea'), '')
    expect(scope.answer).toEqual({ count: 4, day: '2026-03-04' })
    expect(find('textarea').value).toBe('')
  })

  it('answers by number keys: the open question first, then the next', () => {
    draw()
    expect(host.querySelectorAll('kbd')).toHaveLength(2)
    press('2')
    expect(scope.answer).toEqual({ label: '0' })
    expect(scope.changed).toHaveBeenLastCalledWith({ label: '0' }, true)
    press('1')
    press('9')
    expect(scope.answer).toEqual({ label: '0', tags: ['a'] })
  })

  it('leaves number keys to whoever types', () => {
    draw()
    press('1', find('textarea'))
    press('1', find('input[type=number]'))
    expect(scope.changed).not.toHaveBeenCalled()
  })

  it('ranks by keyboard', () => {
    draw()
    const first = find('.rank')
    first.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', altKey: true, bubbles: true, cancelable: true }))
    scope.$digest()
    expect(scope.answer.order).toEqual(['y', 'x'])
  })

  it('restores a draft', () => {
    draw({ answer: { label: '1', tags: ['b'], note: 'n', count: 3, mood: 2, day: '2026-01-02', order: ['y', 'x'] } })
    expect([...host.querySelectorAll('.picked')].map((option) => option.textContent.replace(/\s+/g, ' ').trim())).toEqual(['Yes 1', 'B', '2'])
    expect(find('textarea').value).toBe('n')
    expect(find('input[type=number]').value).toBe('3')
    expect(find('input[type=date]').value).toBe('2026-01-02')
    expect(find('.rank').textContent).toContain('Y')
  })

  it('puts each problem at its question', () => {
    draw({ problems: { label: 'This needs an answer.', note: 'Too long.' } })
    expect(find('fieldset.wrong .field-error').textContent).toBe('This needs an answer.')
    const note = find('textarea')
    expect(note.getAttribute('aria-invalid')).toBe('true')
    expect(document.getElementById(note.getAttribute('aria-describedby')).textContent).toBe('Too long.')
  })

  it('takes nothing when it is only to be read', () => {
    draw({ readOnly: true, answer: { label: '1' } })
    press('2')
    expect(scope.changed).not.toHaveBeenCalled()
    for (const control of host.querySelectorAll('input, textarea, button')) expect(control.disabled).toBe(true)
  })
})
