import angular from 'angular'
import { afterEach, beforeEach } from 'vitest'

// angular-mocks is a plug-in of jasmine or mocha: it looks for their globals when it loads, and keeps what belongs to
// one test on the `this` of its hooks, which vitest does not give. It loads once for all files; the hooks are each
// file's own.
window.angular = angular
window.scrollTo = () => {}
window.jasmine ??= {}
window.beforeEach = window.afterEach = () => {}
await import('angular-mocks')

let spec
beforeEach(() => void angular.mock.module.$$beforeEach.call((spec = {})))
afterEach(() => void angular.mock.module.$$afterEach.call(spec))
