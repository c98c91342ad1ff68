import './kbd.css'

/** The key that does the same as the button it stands in. */
export const ghKbd = { bindings: { key: '@' }, template: '<kbd aria-hidden="true">{{ ::$ctrl.key }}</kbd>' }
