import { activeAsk, parts, picked, picksOf, unanswered, withValue } from './answer.js'
import './interface.css'
import template from './interface.component.html?raw'

const TYPING = 'input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable]'

class InterfaceController {
  static $inject = ['$element', '$scope', '$window']

  constructor($element, $scope, $window) {
    Object.assign(this, { $element, $scope, $window })
    this.onKey = (event) => this.keyPressed(event)
    this.given = {}
  }

  $onInit() {
    this.$window.document.addEventListener('keydown', this.onKey)
    this.$element[0].addEventListener('focusin', (event) => this.focused(event))
  }

  $onDestroy() {
    this.$window.document.removeEventListener('keydown', this.onKey)
  }

  $onChanges(changes) {
    if (changes.document) {
      this.isFrame = ['html', 'url'].includes(this.document?.kind)
      const { shown, asked } = parts(this.document)
      Object.assign(this, { shown, asked, focusedKey: null })
    }
    if (changes.answer && this.answer !== this.emitted) this.given = { ...this.answer }
    if (changes.document || changes.answer) this.chooseActive()
    this.readings = this.isFrame && this.readOnly ? Object.entries(this.answer ?? {}).map(([key, value]) => ({ key, value: said(value) })) : []
  }

  answered(key, value) {
    this.emit(withValue(this.given, key, value))
  }

  fromFrame(answer, submit) {
    this.emit(answer)
    if (submit) this.onSubmit()
  }

  emit(answer) {
    this.given = answer
    this.emitted = answer
    this.chooseActive()
    this.onChange({ answer, complete: unanswered(this.document, answer).length === 0 })
  }

  chooseActive() {
    this.active = this.readOnly ? null : activeAsk(this.asked ?? [], this.given, this.focusedKey)
  }

  focused(event) {
    const index = [...this.$element[0].querySelectorAll('gh-ask')].indexOf(event.target.closest('gh-ask'))
    if (index < 0) return
    const key = this.asked.filter((element) => element.ask)[index]?.key
    if (key === this.focusedKey) return
    this.$scope.$applyAsync(() => {
      this.focusedKey = key
      this.chooseActive()
    })
  }

  keyPressed(event) {
    if (!this.shortcuts || this.readOnly || !this.active || event.defaultPrevented) return
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !/^[1-9]$/.test(event.key)) return
    if (event.target.closest?.(TYPING) || this.$window.document.querySelector('dialog[open]')) return
    const values = picksOf(this.active)
    const value = this.active.ask === 'scale' ? values.find((step) => String(step) === event.key) : values[Number(event.key) - 1]
    if (value === undefined) return
    event.preventDefault()
    const { key } = this.active
    this.$scope.$apply(() => this.answered(key, picked(this.active, this.given[key], value)))
  }
}

function said(value) {
  if (Array.isArray(value)) return value.map(said).join(', ')
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/**
 * A task drawn from its version's interface document, for the worker, the requester's preview and the review.
 *
 * `input` fills it, `answer` is what has been given (also from a draft), `problems` maps answer keys to messages.
 * `onChange({answer, complete})` brings a new answer object with every change; `onSubmit()` is called when a frame
 * asks to hand in. `shortcuts` turns on the number keys, `readOnly` all controls off, `stacked` puts the questions
 * below. What stands inside the element comes after the questions.
 */
export const ghInterface = {
  bindings: {
    document: '<interface',
    input: '<',
    answer: '<',
    problems: '<',
    readOnly: '<',
    preview: '<',
    shortcuts: '<',
    stacked: '<',
    onChange: '&',
    onSubmit: '&',
  },
  transclude: true,
  template,
  controller: InterfaceController,
}
