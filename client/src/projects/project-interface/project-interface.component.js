import template from './project-interface.component.html?raw'
import { elementOf } from '../editor-steps.js'
import { exampleInput, isGenerated, move, newElement, schemasOf } from '../schemas.js'
import './project-interface.css'

const CHECK_AFTER_MS = 500

const PALETTE = {
  show: [
    ['show:text', 'Text'], ['show:markdown', 'Text with Markdown'], ['show:image', 'Picture'],
    ['show:audio', 'Recording'], ['show:video', 'Video'], ['show:link', 'Link'],
  ],
  ask: [
    ['ask:choice', 'One choice'], ['ask:choices', 'Several choices'], ['ask:text', 'Text'], ['ask:number', 'Number'],
    ['ask:scale', 'Scale'], ['ask:date', 'Date'], ['ask:ranking', 'Ranking'],
  ],
}
const NAMES = Object.fromEntries([...PALETTE.show, ...PALETTE.ask])

/** A page to begin with: every column shown as text, every answer key asked in a field. */
export function ownHtml(columns, answers) {
  return [
    '<form>',
    ...columns.map((column) => `  <p data-from="${column}"></p>`),
    ...answers.map((key) => `  <p><label>${key} <input name="${key}"></label></p>`),
    '  <button>Done</button>',
    '</form>',
    '',
  ].join('\n')
}

const OWN_SCHEMAS = {
  input_schema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  answer_schema: { type: 'object', properties: { topic: { type: 'string', minLength: 1 } }, required: ['topic'] },
}

/**
 * The step that makes what a worker sees. Emits `on-change({changes})` with interface, input_schema, answer_schema.
 *
 * The schemas follow from the elements until somebody edits them by hand; from then on they are left alone.
 */
class ProjectInterfaceController {
  static $inject = ['Project', '$timeout', '$element', '$scope']

  constructor(Project, $timeout, $element, $scope) {
    Object.assign(this, { Project, $timeout, host: $element[0], $scope, palette: PALETTE })
    this.asJson = false
    this.open = null
  }

  $onChanges(changes) {
    if (!changes.version || this.version === this.said) return
    this.take(this.version)
  }

  $postLink() {
    this.host.addEventListener('dragstart', (event) => this.dragStart(event))
    this.host.addEventListener('dragover', (event) => this.dragOver(event))
    this.host.addEventListener('drop', (event) => this.drop(event))
    this.host.addEventListener('dragend', () => this.dragEnd())
  }

  $onDestroy() {
    this.$timeout.cancel(this.checking)
  }

  take(version) {
    const blank = !version.interface?.kind
    this.interface = blank ? { kind: 'elements', elements: [] } : structuredClone(version.interface)
    this.kind = this.interface.kind
    this.input_schema = version.input_schema
    this.answer_schema = version.answer_schema
    this.auto = this.kind === 'elements' && (blank || isGenerated(version))
    this.kept = {}
    this.show()
    this.check()
  }

  /** Everything that follows from interface and schemas: preview, keys, what a file needs. */
  show() {
    const { elements } = this
    this.example = exampleInput(this.input_schema, elements)
    this.columns = Object.keys(this.input_schema?.properties || {})
    this.answers = Object.keys(this.answer_schema?.properties || {})
    this.taken = elements.map((element) => element.key).filter(Boolean)
    this.previewed = structuredClone(this.interface)
  }

  get elements() {
    return this.interface.elements || []
  }

  changed() {
    if (this.auto) Object.assign(this, schemasOf(this.elements))
    this.show()
    if (this.kind !== 'url' || /^https?:\/\/[^/\s]+/.test(this.interface.url)) this.tell()
  }

  tell() {
    const changes = {
      interface: structuredClone(this.interface),
      input_schema: this.input_schema,
      answer_schema: this.answer_schema,
    }
    this.said = this.onChange({ changes })
    this.check()
  }

  check() {
    this.$timeout.cancel(this.checking)
    this.checking = this.$timeout(() => {
      const asked = { interface: this.interface, input_schema: this.input_schema, answer_schema: this.answer_schema }
      this.Project.check(asked).$promise.then(
        (answer) => this.place(answer.problems || []),
        (problem) => this.place(problem.errors || []),
      )
    }, CHECK_AFTER_MS)
  }

  place(problems) {
    this.problems = problems
    this.ofElement = {}
    for (const problem of problems) {
      const index = elementOf(problem.field)
      if (index !== null) (this.ofElement[index] ??= []).push(problem)
    }
    const about = (name) => problems.filter((problem) => problem.field === name || problem.field?.startsWith(`${name}.`))
    this.ofInterface = about('interface')
    this.ofInput = about('input_schema')
    this.ofAnswer = about('answer_schema')
    this.general = problems.filter((problem) => elementOf(problem.field) === null)
  }

  // The elements

  nameOf(element) {
    return NAMES[element.show ? `show:${element.show}` : `ask:${element.ask}`] || element.show || element.ask
  }

  summaryOf(element) {
    if (element.ask) return element.label || element.key
    return element.from ? `column ${element.from}` : element.text
  }

  add(what) {
    this.interface.elements = [...this.elements, newElement(what, this.elements)]
    this.open = this.elements.length - 1
    this.changed()
    this.focusOn(`#element-card-${this.open} input`)
  }

  set(index, element) {
    this.interface.elements = this.elements.map((old, at) => (at === index ? element : old))
    this.changed()
  }

  move(index, by, keepFocus = true) {
    const to = index + by
    if (to < 0 || to >= this.elements.length) return
    this.interface.elements = move(this.elements, index, to)
    if (this.open === index) this.open = to
    else if (this.open === to) this.open = index
    this.moved = `${this.nameOf(this.elements[to])} is now number ${to + 1} of ${this.elements.length}.`
    this.changed()
    if (keepFocus) this.focusOn(`#element-card-${to} .element-${by < 0 ? 'up' : 'down'}:not(:disabled)`, `#element-card-${to} .element-toggle`)
  }

  remove(index) {
    this.removed = { element: this.elements[index], index }
    this.interface.elements = this.elements.filter((_, at) => at !== index)
    this.open = null
    this.changed()
    this.focusOn('.element-undo')
  }

  putBack() {
    const list = [...this.elements]
    list.splice(this.removed.index, 0, this.removed.element)
    this.interface.elements = list
    this.removed = null
    this.changed()
  }

  toggle(index) {
    this.open = this.open === index ? null : index
  }

  /** Focus the first of `selectors` that is there once the page has been drawn. */
  focusOn(...selectors) {
    this.$timeout(() => selectors.map((selector) => this.host.querySelector(selector)).find(Boolean)?.focus(), 0, false)
  }

  // Moving by mouse

  dragStart(event) {
    const card = event.target.closest?.('[data-index]')
    if (!card) return
    this.dragged = Number(card.dataset.index)
    event.dataTransfer.effectAllowed = 'move'
    event.dataTransfer.setData('text/plain', String(this.dragged))
    card.classList.add('is-dragged')
  }

  dragOver(event) {
    const card = event.target.closest?.('[data-index]')
    if (this.dragged === undefined || !card) return
    event.preventDefault()
    this.host.querySelector('.is-target')?.classList.remove('is-target')
    card.classList.add('is-target')
  }

  drop(event) {
    const card = event.target.closest?.('[data-index]')
    if (this.dragged === undefined || !card) return
    event.preventDefault()
    const from = this.dragged
    const to = Number(card.dataset.index)
    this.$scope.$applyAsync(() => to !== from && this.move(from, to - from, false))
  }

  dragEnd() {
    this.dragged = undefined
    this.host.querySelectorAll('.is-target, .is-dragged').forEach((card) => card.classList.remove('is-target', 'is-dragged'))
  }

  // The other kinds, and JSON

  setKind() {
    this.kept[this.interface.kind] = this.interface
    const nothingYet = this.auto && !this.columns.length && !this.answers.length
    if (this.kind !== 'elements' && nothingYet) {
      Object.assign(this, OWN_SCHEMAS)
      this.show()
    }
    const fresh = {
      elements: { kind: 'elements', elements: [] },
      html: { kind: 'html', html: ownHtml(this.columns, this.answers) },
      url: { kind: 'url', url: 'https://' },
    }
    this.interface = this.kept[this.kind] || fresh[this.kind]
    this.auto = this.kind === 'elements' && (isGenerated(this) || !this.elements.length)
    this.changed()
  }

  setInterface(value) {
    const followed = this.auto
    this.interface = value
    this.kind = value.kind
    this.auto = followed && this.kind === 'elements'
    this.changed()
  }

  setSchema(name, value) {
    this[name] = value
    this.auto = this.kind === 'elements' && isGenerated(this)
    this.show()
    this.tell()
  }

  followElements() {
    this.auto = true
    this.changed()
  }

  columnsText() {
    return this.columns.length ? this.columns.join(', ') : 'none: every task shows the same'
  }
}

export const ghProjectInterface = {
  template,
  controller: ProjectInterfaceController,
  bindings: { version: '<', sample: '<', onChange: '&' },
}
