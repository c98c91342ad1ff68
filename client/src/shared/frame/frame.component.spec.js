import angular from 'angular'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import '../shared.module.js'

describe('gh-frame', () => {
  let $compile, scope

  beforeEach(() => {
    angular.mock.module('guildhall.shared')
    angular.mock.inject((_$compile_, $rootScope) => {
      $compile = _$compile_
      scope = $rootScope.$new()
    })
  })

  function frame(doc) {
    scope.doc = doc
    scope.input = { a: 1 }
    scope.heard = vi.fn()
    const element = $compile('<gh-frame document="doc" input="input" answer="draft" on-answer="heard(answer, submit)"></gh-frame>')(scope)
    document.body.append(element[0])
    scope.$digest()
    return element[0].querySelector('iframe')
  }

  function say(source, data) {
    window.dispatchEvent(new MessageEvent('message', { source, data }))
    scope.$root.$digest()
  }

  it('never shares our origin with what runs inside', () => {
    expect(frame({ kind: 'html', html: '<p>x</p>' }).getAttribute('sandbox')).toBe('allow-scripts')
    expect(frame({ kind: 'url', url: 'https://x.example/' }).getAttribute('sandbox')).toBe('allow-scripts allow-forms')
  })

  it('hears its own frame and nobody else', () => {
    const inside = frame({ kind: 'html', html: '<p>x</p>' })
    say(window, { guildhall: 1, type: 'answer', answer: { forged: true } })
    expect(scope.heard).not.toHaveBeenCalled()
    say(inside.contentWindow, { guildhall: 1, type: 'submit', answer: { a: 2 } })
    expect(scope.heard).toHaveBeenCalledWith({ a: 2 }, true)
  })

  it('keeps the frame while only the draft changes', () => {
    const inside = frame({ kind: 'html', html: '<p>x</p>' })
    scope.draft = { a: 2 }
    scope.$digest()
    expect(document.body.contains(inside)).toBe(true)
  })
})
