import './safe-html.css'
import { safeFragment } from './safe-html.js'

class SafeHtmlController {
  static $inject = ['$element']

  constructor($element) {
    this.host = $element[0]
  }

  $onChanges() {
    this.host.classList.add('prose')
    this.host.replaceChildren(safeFragment(this.html))
  }
}

/** HTML that came from the server, rebuilt from an allow-list of elements. */
export const ghSafeHtml = { bindings: { html: '<' }, template: '', controller: SafeHtmlController }
