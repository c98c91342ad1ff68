import angular from 'angular'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import '../shared.module.js'

// jsdom has the element but not its methods.
HTMLDialogElement.prototype.showModal ??= function () {
  this.open = true
}
HTMLDialogElement.prototype.close ??= function () {
  this.open = false
}

describe('gh-dialog', () => {
  let scope, host, $timeout

  beforeEach(() => {
    angular.mock.module('guildhall.shared')
    angular.mock.inject(($compile, $rootScope, _$timeout_) => {
      $timeout = _$timeout_
      scope = Object.assign($rootScope.$new(), { open: false, close: vi.fn() })
      const template = '<div><button>outside</button><gh-dialog open="open" heading="Sure?" on-close="close()"><input id="inside"></gh-dialog></div>'
      host = $compile(template)(scope)[0]
    })
    document.body.append(host)
    scope.$digest()
  })

  afterEach(() => {
    scope.$destroy()
    host.remove()
  })

  it('has its content only while it is open, and puts the focus into it', () => {
    expect(host.querySelector('#inside')).toBe(null)
    scope.open = true
    scope.$digest()
    $timeout.flush()
    expect(host.querySelector('dialog').open).toBe(true)
    expect(document.activeElement.id).toBe('inside')
    scope.open = false
    scope.$digest()
    expect(host.querySelector('dialog').open).toBe(false)
    expect(host.querySelector('#inside')).toBe(null)
  })

  it('asks to be closed by Escape and by its button, and leaves it to the page', () => {
    scope.open = true
    scope.$digest()
    const cancel = new Event('cancel', { cancelable: true })
    host.querySelector('dialog').dispatchEvent(cancel)
    scope.$root.$digest()
    host.querySelector('[aria-label=Close]').click()
    expect(cancel.defaultPrevented).toBe(true)
    expect(scope.close).toHaveBeenCalledTimes(2)
    expect(host.querySelector('dialog').open).toBe(true)
  })
})
