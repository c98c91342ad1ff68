import template from './envelope.component.html?raw'

const MOST = 99

class EnvelopeController {
  static $inject = ['messages', '$location']

  constructor(messages, $location) {
    Object.assign(this, { messages, $location })
  }

  $onInit() {
    this.off = this.messages.follow()
  }

  $onDestroy() {
    this.off()
  }

  get count() {
    const { messages } = this.messages.unread
    return messages > MOST ? `${MOST}+` : `${messages}`
  }

  get label() {
    return this.messages.unread.messages ? `Messages, ${this.count} unread` : 'Messages'
  }

  get isCurrent() {
    return this.$location.path().startsWith('/messages')
  }
}

/** The way to one's messages, with how many are unread. */
export const ghEnvelope = { template, controller: EnvelopeController }
