const LASTS_MS = { ok: 5000, bad: 12_000 }

/** Short messages about something that has just happened. `<gh-toast>` shows and announces them. */
export class ToastService {
  static $inject = ['$timeout']

  constructor($timeout) {
    this.$timeout = $timeout
    this.messages = []
    this.count = 0
  }

  say(text, kind = 'ok') {
    const message = { id: (this.count += 1), text, kind }
    this.messages = [...this.messages.slice(-2), message]
    this.$timeout(() => this.dismiss(message), LASTS_MS[kind] ?? LASTS_MS.ok)
  }

  /** Say what failed: `toast.failed('Could not accept the answer.', problem)`. */
  failed(what, problem) {
    this.say(problem?.detail ? `${what} ${problem.detail}` : what, 'bad')
  }

  dismiss(message) {
    this.messages = this.messages.filter((other) => other !== message)
  }
}
