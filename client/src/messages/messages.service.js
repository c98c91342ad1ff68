const EVERY_SECONDS = 60
const API = '/api/v1'

/** Calls about threads and messages, and how many are unread, in one place for the bar and the pages. */
export class MessagesService {
  static $inject = ['$http', 'live', 'pages']

  constructor($http, live, pages) {
    Object.assign(this, { $http, live, pages, unread: { threads: 0, messages: 0 }, listed: null })
  }

  /** Keep the count up to date; returns the off-function. */
  follow() {
    this.count()
    return this.live.on(['message', 'thread'], () => this.count(), { every: EVERY_SECONDS })
  }

  count() {
    // An aside of every page: when this fails it shows what it knew.
    return this.$http.get(`${API}/threads/unread`).then(({ data }) => (this.unread = data), () => {})
  }

  threads(wanted) {
    return this.pages.first(`${API}/threads`, wanted)
  }

  thread(id) {
    return this.$http.get(`${API}/threads/${id}`).then(({ data }) => data)
  }

  /** The thread about a thing, or nothing: with one worker where there are several. */
  about({ kind, id }, to) {
    return this.threads({ about: `${kind}:${id}` }).then((rows) => rows.find((row) => row.kind === 'talk' && (!to || row.worker === to)))
  }

  /** Messages, newest first, in pages. */
  of(id) {
    return this.pages.first(`${API}/threads/${id}/messages`)
  }

  send(id, body, key) {
    return this.post(`/threads/${id}/messages`, { body }, key)
  }

  /** Write about a thing: `{thread, message}`. */
  open(about, to, body, key) {
    return this.post('/threads', { about, body, ...(to ? { to } : {}) }, key)
  }

  read(id, number) {
    return this.post(`/threads/${id}/read`, { up_to: number }).then((thread) => {
      this.count()
      return thread
    })
  }

  /** `mute`, `unmute`, `block` or `unblock`; answers the thread. */
  act(id, verb) {
    return this.post(`/threads/${id}/${verb}`).then((thread) => {
      this.live.changed('thread')
      return thread
    })
  }

  report(message, category, reason) {
    return this.post(`/messages/${message}/report`, { category, reason })
  }

  search(q) {
    return this.$http.get(`${API}/messages/search`, { params: { q } }).then(({ data }) => data)
  }

  announcements(project) {
    return this.pages.first(`${API}/projects/${project}/announcements`)
  }

  announce(project, body, key) {
    return this.post(`/projects/${project}/announcements`, { body }, key)
  }

  post(path, body = {}, key = undefined) {
    const headers = key ? { 'Idempotency-Key': key } : {}
    return this.$http.post(API + path, body, { headers }).then(({ data }) => data)
  }
}
