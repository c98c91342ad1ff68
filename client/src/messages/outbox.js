const PREFIX = 'guildhall.message.'

/**
 * What was typed for one thread and has not arrived: the draft, and messages on their way.
 *
 * It is kept for the session, so that neither going elsewhere nor a reload loses it. Each message has the key under
 * which the server takes it once, so sending it again is safe while nobody knows whether it has arrived.
 */
export class Outbox {
  constructor({ name, storage, send, newKey = () => crypto.randomUUID() }) {
    Object.assign(this, { place: PREFIX + name, storage, post: send, newKey, text: '', unsent: [] })
    this.read()
  }

  read() {
    try {
      const kept = JSON.parse(this.storage.getItem(this.place)) ?? {}
      this.text = kept.text ?? ''
      this.unsent = (kept.unsent ?? []).map((one) => ({ ...one, state: 'failed' }))
    } catch {
      this.storage.removeItem(this.place)
    }
  }

  keep() {
    const { text, unsent } = this
    try {
      if (!text && !unsent.length) this.storage.removeItem(this.place)
      else this.storage.setItem(this.place, JSON.stringify({ text, unsent: unsent.map(({ key, body }) => ({ key, body })) }))
    } catch {
      // A full storage loses nothing of what stands on the page.
    }
  }

  typed(text) {
    this.text = text
    this.keep()
  }

  /** Take the draft as a message and send it. Resolves with the answer, or with nothing when it did not arrive. */
  send() {
    const body = this.text.trim()
    if (!body) return Promise.resolve()
    const message = { key: this.newKey(), body }
    this.unsent.push(message)
    this.typed('')
    return this.deliver(message)
  }

  deliver(message) {
    Object.assign(message, { state: 'sending', problem: null })
    return this.post(message.body, message.key).then(
      (answer) => {
        this.drop(message)
        return answer
      },
      (problem) => {
        // A refusal is final for its key; without an answer the same key makes sure that it is there once.
        if (problem.status >= 400 && problem.status < 500) message.key = this.newKey()
        Object.assign(message, { state: 'failed', problem })
        this.keep()
      },
    )
  }

  drop(message) {
    this.unsent = this.unsent.filter((one) => one !== message)
    this.keep()
  }

  /** Give up sending it, and have it as the draft again. */
  takeBack(message) {
    this.drop(message)
    this.typed(this.text ? `${message.body}\n\n${this.text}` : message.body)
  }
}
