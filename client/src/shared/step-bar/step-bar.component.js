import template from './step-bar.component.html?raw'
import './step-bar.css'

/** Steps of a longer form as links: `steps` is `[{id, name, href, done, problems}]`, `current` the id of one. */
export const ghStepBar = { template, bindings: { steps: '<', current: '<' } }
