import template from './json-editor.component.html?raw'
import { whereJsonFails } from './where.js'
import './json-editor.css'

let made = 0

/**
 * A JSON document as text. `on-change({value})` is called with the parsed value, only when the text is JSON
 * `problems` (`[{field, detail}]`) are the server's, shown below. A new `value` from outside replaces the text
 * unless it is what the text already says. Alt+Shift+F or leaving the box formats it.
 */
class JsonEditorController {
  constructor() {
    made += 1
    this.id = `gh-json-${made}`
    this.text = ''
  }

  $onChanges(changes) {
    if (!changes.value) return
    const incoming = JSON.stringify(this.value ?? {})
    if (incoming === this.said) return
    this.said = incoming
    this.text = JSON.stringify(this.value ?? {}, null, 2)
    this.problem = null
  }

  read() {
    try {
      const value = JSON.parse(this.text)
      if (value === null || typeof value !== 'object' || Array.isArray(value)) {
        this.problem = 'This must be a JSON object, written between { and }.'
        return
      }
      this.problem = null
      this.said = JSON.stringify(value)
      this.onChange({ value })
    } catch (error) {
      this.problem = whereJsonFails(this.text, error)
    }
  }

  tidy() {
    if (!this.problem) this.text = JSON.stringify(JSON.parse(this.text), null, 2)
  }

  onKey(event) {
    if (event.altKey && event.shiftKey && event.key.toLowerCase() === 'f') {
      event.preventDefault()
      this.tidy()
    }
  }
}

export const ghJsonEditor = {
  template,
  controller: JsonEditorController,
  bindings: { value: '<', label: '@', hint: '@', rows: '<', problems: '<', onChange: '&' },
}
