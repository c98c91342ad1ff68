import angular from 'angular'
import { beforeEach, describe, expect, it } from 'vitest'
import '../shared.module.js'

describe('gh-field', () => {
  let scope, host

  beforeEach(() => {
    angular.mock.module('guildhall.shared')
    angular.mock.inject(($compile, $rootScope) => {
      scope = $rootScope.$new()
      host = $compile('<gh-field label="Title" help="Short." error="error"><input ng-model="title"></gh-field>')(scope)[0]
    })
    scope.$digest()
  })

  it('ties label, help and error to the control', () => {
    const input = host.querySelector('input')
    expect(host.querySelector('label').htmlFor).toBe(input.id)
    expect(input.getAttribute('aria-describedby')).toMatch(/-help$/)
    expect(input.hasAttribute('aria-invalid')).toBe(false)
    scope.error = 'Write a title.'
    scope.$digest()
    expect(input.getAttribute('aria-invalid')).toBe('true')
    const described = input.getAttribute('aria-describedby').split(' ').map((id) => host.querySelector(`#${id}`).textContent)
    expect(described).toContain('Write a title.')
    scope.error = null
    scope.$digest()
    expect(input.hasAttribute('aria-invalid')).toBe(false)
  })
})
