import { safeFragment } from '../safe-html/safe-html.js'

let renderer

/** Markdown text → HTML text. HTML inside the Markdown is shown as text. The parser is loaded when first needed. */
export async function renderMarkdown(text) {
  renderer ??= import('markdown-it').then(({ default: MarkdownIt }) => new MarkdownIt({ html: false, linkify: false }))
  return (await renderer).render(String(text ?? ''))
}

class MarkdownController {
  static $inject = ['$element']

  constructor($element) {
    this.host = $element[0]
  }

  $onChanges() {
    const text = this.text
    this.host.classList.add('prose')
    this.host.textContent = text ?? ''
    renderMarkdown(text).then((html) => {
      if (text === this.text) this.host.replaceChildren(safeFragment(html))
    })
  }
}

/** Markdown that has not been through the server: a task's input, or what is being typed. */
export const ghMarkdown = { bindings: { text: '<' }, template: '', controller: MarkdownController }
