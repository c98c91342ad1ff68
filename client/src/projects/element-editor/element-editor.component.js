import template from './element-editor.component.html?raw'
import { hasOptions, isKey, move } from '../schemas.js'
import './element-editor.css'

const PLACED = ['label', 'help', 'key', 'from', 'text', 'alt', 'min', 'max', 'min_label', 'max_label', 'max_length']
let made = 0

/** A value for an option that was given only a label: "Yes, a duck" → "yes_a_duck". */
export function valueOf(label) {
  return label.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
    .replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 60)
}

/** The settings of one element of an interface. Emits `on-change({element})` with a new object at every change. */
class ElementEditorController {
  constructor() {
    made += 1
    this.id = `element-${made}`
  }

  $onChanges(changes) {
    if (changes.problems) this.place()
    if (!changes.element || this.element === this.said) return
    this.draft = structuredClone(this.element)
    this.source = this.draft.text === undefined ? 'column' : 'literal'
    this.withOptions = hasOptions(this.draft)
    this.isProse = this.draft.show === 'text' || this.draft.show === 'markdown'
    this.bounded = this.draft.ask === 'number' || this.draft.ask === 'scale'
    this.numeric = this.withOptions && this.draft.options.every((option) => typeof option.value === 'number')
    this.values = (this.draft.options || []).map((option) => option.value !== valueOf(option.label || ''))
  }

  /** Each problem to its field, by the end of its path; what has no field of its own stays in a list. */
  place() {
    this.at = {}
    this.others = []
    for (const { field, detail } of this.problems || []) {
      const [, name, index] = /^interface\.elements\.\d+\.([a-z_]+)(?:\.(\d+))?/.exec(field) || []
      if (PLACED.includes(name)) this.at[name] = detail
      else this.others.push(index === undefined ? detail : `Option ${Number(index) + 1}: ${detail}`)
    }
  }

  changed() {
    const element = structuredClone(this.draft)
    for (const name of ['label', 'help', 'alt', 'min_label', 'max_label', 'min', 'max', 'max_length', 'multiline']) {
      if (element[name] === '' || element[name] === null || element[name] === undefined || element[name] === false) delete element[name]
    }
    if (element.ask) element.label = this.draft.label || ''
    this.said = element
    this.onChange({ element })
  }

  setSource() {
    if (this.source === 'literal') {
      this.draft.text = this.isProse ? 'Write here what every worker should see.' : 'https://'
      delete this.draft.from
    } else {
      this.draft.from = this.draft.show
      delete this.draft.text
    }
    this.changed()
  }

  keyProblem() {
    const key = this.draft.ask ? this.draft.key : this.source === 'column' ? this.draft.from : 'fine'
    if (!key) return 'Give it a name.'
    if (!isKey(key)) return 'At most 120 visible characters, no blank at the ends.'
    if (this.draft.ask && this.taken.filter((one) => one === key).length > 1) return 'Another question has this name.'
    return null
  }

  labelled(index) {
    const option = this.draft.options[index]
    if (!this.values[index]) option.value = valueOf(option.label || '')
    this.changed()
  }

  valued(index) {
    this.values[index] = true
    const option = this.draft.options[index]
    if (this.numeric && /^-?\d+$/.test(option.value)) option.value = Number(option.value)
    this.changed()
  }

  addOption() {
    this.draft.options.push({ value: '', label: '' })
    this.values.push(false)
    this.focusOption(this.draft.options.length - 1)
    this.changed()
  }

  removeOption(index) {
    this.draft.options.splice(index, 1)
    this.values.splice(index, 1)
    this.focusOption(Math.max(0, index - 1))
    this.changed()
  }

  moveOption(index, by) {
    this.draft.options = move(this.draft.options, index, index + by)
    this.values = move(this.values, index, index + by)
    this.changed()
  }

  optionKey(event, index) {
    if (event.key === 'Enter') {
      event.preventDefault()
      if (index === this.draft.options.length - 1) this.addOption()
      else this.focusOption(index + 1)
    }
  }

  focusOption(index) {
    // After this digest has drawn the option, but before the next key press arrives.
    queueMicrotask(() => document.getElementById(`${this.id}-option-${index}`)?.focus())
  }
}

export const ghElementEditor = {
  template,
  controller: ElementEditorController,
  bindings: { element: '<', taken: '<', columns: '<', problems: '<', onChange: '&' },
}
