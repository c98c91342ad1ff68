import { serverUrl } from './config.js'

/**
 * A call made while the page is going away, when nobody can wait for its answer.
 *
 * The browser sends it even after the page has gone (at most 64 kB).
 */
export class LastWordsService {
  static $inject = ['$window', 'session']

  constructor($window, session) {
    Object.assign(this, { $window, session })
  }

  send(method, path, body) {
    const token = this.session.tokens?.access_token
    if (!token) return
    const headers = {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': crypto.randomUUID(),
    }
    const call = { method, headers, body: JSON.stringify(body ?? {}), keepalive: true, credentials: 'omit' }
    this.$window.fetch(serverUrl(path), call).catch(() => {})
  }
}
