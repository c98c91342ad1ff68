import angular from 'angular'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import '../shared.module.js'
import { whereJsonFails } from './where.js'

it('names the line at which a text stops being JSON', () => {
  const text = '{\n  "a": 1,\n  "b" 2\n}'
  let error
  try {
    JSON.parse(text)
  } catch (caught) {
    error = caught
  }
  expect(whereJsonFails(text, error)).toContain('line 3')
  expect(whereJsonFails(' ', new Error())).toContain('empty')
})

describe('gh-json-editor', () => {
  let scope, host

  beforeEach(() => {
    angular.mock.module('guildhall.shared')
    angular.mock.inject(($compile, $rootScope) => {
      scope = Object.assign($rootScope.$new(), { value: { a: 1 }, changed: vi.fn() })
      host = $compile('<gh-json-editor label="Schema" value="value" on-change="changed(value)"></gh-json-editor>')(scope)[0]
    })
    document.body.append(host)
    scope.$digest()
  })
  afterEach(() => {
    scope.$destroy()
    host.remove()
  })

  const type = (text) => {
    const area = host.querySelector('textarea')
    area.value = text
    area.dispatchEvent(new Event('input', { bubbles: true }))
    scope.$digest()
  }

  it('emits only what is a JSON object', () => {
    type('{"a": 2')
    expect(scope.changed).not.toHaveBeenCalled()
    expect(host.querySelector('.bad').textContent).toMatch(/line 1/)
    type('[1]')
    expect(scope.changed).not.toHaveBeenCalled()
    type('{"a": 2}')
    expect(scope.changed).toHaveBeenCalledWith({ a: 2 })
    expect(host.querySelector('textarea').getAttribute('aria-invalid')).toBeNull()
  })

  it('leaves what is being typed alone when the same value comes back', () => {
    type('{ "a":2 }')
    scope.value = { a: 2 }
    scope.$digest()
    expect(host.querySelector('textarea').value).toBe('{ "a":2 }')
    scope.value = { b: 3 }
    scope.$digest()
    expect(JSON.parse(host.querySelector('textarea').value)).toEqual({ b: 3 })
  })
})
