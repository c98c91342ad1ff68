import { moved, picked, scaleValues } from './answer.js'
import template from './ask.component.html?raw'

let count = 0

class AskController {
  static $inject = ['$element', '$timeout']

  constructor($element, $timeout) {
    Object.assign(this, { $element, $timeout })
    this.id = `ask-${(count += 1)}`
  }

  $onChanges(changes) {
    if (changes.element) {
      this.scale = scaleValues(this.element)
      this.grouped = ['choice', 'choices', 'ranking'].includes(this.element.ask) || (this.element.ask === 'scale' && this.scale.length > 0)
      this.sent = undefined
      this.typed = undefined
    }
    if (this.element.ask === 'ranking') this.ranked = this.rankedOptions()
    // What is being typed stays as typed: only a value that did not come from here replaces it.
    if (changes.element || (changes.value && this.value !== this.sent)) this.typed = this.value ?? ''
    this.described = [this.element.help && `${this.id}-help`, this.problem && `${this.id}-error`].filter(Boolean).join(' ') || undefined
  }

  set(value) {
    this.sent = value
    this.onAnswer({ value })
  }

  pick(value) {
    this.set(picked(this.element, this.value, value))
  }

  isPicked(value) {
    return this.element.ask === 'choices' ? (this.value ?? []).includes(value) : this.value === value
  }

  type(event) {
    const { target } = event
    const isNumber = this.element.ask === 'number' || this.element.ask === 'scale'
    if (isNumber) this.set(Number.isFinite(target.valueAsNumber) ? target.valueAsNumber : undefined)
    else this.set(target.value)
  }

  rankedOptions() {
    const options = this.element.options ?? []
    if (!Array.isArray(this.value)) return options
    const known = this.value.map((value) => options.find((option) => option.value === value)).filter(Boolean)
    return [...known, ...options.filter((option) => !known.includes(option))]
  }

  move(index, step) {
    if (this.disabled) return
    const next = moved(this.ranked, index, step)
    if (next === this.ranked) return
    const { label } = this.ranked[index]
    this.said = `${label}: place ${index + step + 1} of ${next.length}`
    this.ranked = next
    this.set(next.map((option) => option.value))
    this.$timeout(() => this.$element[0].querySelectorAll('.rank')[index + step]?.focus(), 0, false)
  }

  rankKey(event, index) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    if (!step) return
    event.preventDefault()
    if (event.altKey) this.move(index, step)
    else this.$element[0].querySelectorAll('.rank')[index + step]?.focus()
  }

  keepOrder() {
    this.set(this.ranked.map((option) => option.value))
  }
}

/** One question of an interface document. `keys` shows the number keys at its options. `onAnswer({value})`. */
export const ghAsk = {
  bindings: { element: '<', value: '<', problem: '<', disabled: '<', keys: '<', onAnswer: '&' },
  template,
  controller: AskController,
}
