import template from './failed.component.html?raw'

/** What could not be done, why, and a button to try again. `problem` is a Problem. */
export const ghFailed = { bindings: { what: '@', problem: '<', onRetry: '&?' }, template }
