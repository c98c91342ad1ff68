import './about.css'
import template from './about.component.html?raw'

class MessagesAboutController {
  static $inject = ['messages', 'live']

  constructor(messages, live) {
    Object.assign(this, { messages, live })
  }

  $onInit() {
    this.off = this.live.on('message', (event, events = []) => this.happened(events), { every: 120 })
  }

  $onChanges() {
    Object.assign(this, { thread: undefined, known: false, open: false, problem: null })
    this.about = { kind: this.kind, id: this.id }
    if (this.id) this.load()
  }

  $onDestroy() {
    this.off()
  }

  load() {
    const { id, to } = this
    this.problem = null
    return this.messages.about(this.about, to).then(
      (thread) => id === this.id && to === this.to && Object.assign(this, { thread, known: true }),
      (problem) => id === this.id && (this.problem = problem),
    )
  }

  /** The open thread looks after itself; folded away, only how much is new is shown. */
  happened(events) {
    if (this.open || !this.id || (events.length && this.thread && !events.some(({ subject }) => subject === this.thread.id))) return
    this.load()
  }

  toggle() {
    this.open = !this.open
    if (this.open && this.problem) this.load()
  }

  opened(thread) {
    this.thread = thread
  }
}

/** Messages about the thing beside it: `kind` and `id`, and `to`, the worker's pseudonym, for a requester. */
export const ghMessagesAbout = { bindings: { kind: '@', id: '<', to: '<' }, template, controller: MessagesAboutController }
