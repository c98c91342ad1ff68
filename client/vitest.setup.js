import angular from 'angular'
import { afterEach, beforeEach } from 'vitest'

// angular-mocks installs itself as a plug-in of jasmine or mocha: it looks for their globals when it loads.
window.angular = angular
window.jasmine ??= {}
window.beforeEach = globalThis.beforeEach = beforeEach
window.afterEach = globalThis.afterEach = afterEach
await import('angular-mocks')
