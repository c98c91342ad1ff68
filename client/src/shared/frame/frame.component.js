import './frame.css'
import { frameDocument, frameUrl } from './frame.js'

const LOWEST = 160
const HIGHEST = 6000
const EXTERNAL_HEIGHT = 720

class FrameController {
  static $inject = ['$element', '$scope', '$window']

  constructor($element, $scope, $window) {
    Object.assign(this, { $scope, $window, host: $element[0] })
    this.receive = (message) => this.onMessage(message)
  }

  $onInit() {
    this.$window.addEventListener('message', this.receive)
  }

  $onChanges(changes) {
    // A draft that comes back to us as a binding was typed in the frame: it must not load the frame again.
    if (changes.document || changes.input || changes.readOnly) this.build()
  }

  $onDestroy() {
    this.$window.removeEventListener('message', this.receive)
  }

  build() {
    this.host.replaceChildren()
    this.frame = null
    if (!this.document) return
    const frame = this.$window.document.createElement('iframe')
    frame.title = 'The task, as the requester built it'
    frame.referrerPolicy = 'no-referrer'
    // Never allow-same-origin: what runs in here must not reach this page, its tokens or its storage.
    frame.setAttribute('sandbox', this.document.kind === 'url' ? 'allow-scripts allow-forms' : 'allow-scripts')
    frame.setAttribute('allow', 'autoplay; fullscreen')
    if (this.document.kind === 'url') {
      const address = frameUrl(this.document.url, this.input)
      if (!address) {
        this.host.textContent = 'The address of this task is not a valid https address.'
        return
      }
      frame.src = address
      frame.style.height = `${EXTERNAL_HEIGHT}px`
      frame.addEventListener('load', () => this.send({ type: 'input', input: this.input ?? {}, draft: this.answer ?? {} }))
    } else {
      frame.src = '/frame.html'
      frame.style.height = `${LOWEST}px`
    }
    this.frame = frame
    this.host.append(frame)
  }

  send(message) {
    // The frame's origin is opaque, so it cannot be named; what is sent is the task's input, no secret of this page.
    this.frame?.contentWindow?.postMessage({ guildhall: 1, ...message }, '*')
  }

  onMessage(message) {
    const { data, source } = message
    if (!this.frame || source !== this.frame.contentWindow || !data || typeof data !== 'object') return
    if (data.guildhall === 'boot' && this.document.kind === 'html') {
      const { html } = this.document
      const whole = frameDocument({ html, input: this.input, answer: this.answer, preview: this.preview, readOnly: this.readOnly })
      source.postMessage({ guildhall: 'document', html: whole }, '*')
    } else if (data.guildhall === 1) {
      this.onWord(data)
    }
  }

  onWord({ type, answer, height }) {
    if (type === 'height' && Number.isFinite(height)) {
      this.frame.style.height = `${Math.min(HIGHEST, Math.max(LOWEST, Math.ceil(height)))}px`
    } else if ((type === 'answer' || type === 'submit') && answer && typeof answer === 'object' && !this.readOnly) {
      const copy = JSON.parse(JSON.stringify(answer))
      this.$scope.$applyAsync(() => this.onAnswer({ answer: copy, submit: type === 'submit' }))
    }
  }
}

/**
 * A requester's own HTML or page, in a sandbox without our origin.
 *
 * `document` is the interface document of kind "html" or "url". `onAnswer({answer, submit})` is called with every
 * change; `submit` is true when the page asks to hand the answer in.
 */
export const ghFrame = {
  bindings: { document: '<', input: '<', answer: '<', preview: '<', readOnly: '<', onAnswer: '&' },
  template: '',
  controller: FrameController,
}
