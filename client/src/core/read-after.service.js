const KEPT = 'guildhall.read-after'

/**
 * The latest position of the database that this tab was told of, by the answer to a call or with an event. Sent along,
 * it lets the server read from a copy that has come as far. Opaque; of two the greater text is the later. It outlives a
 * reload, after which a page shows again what was just done.
 */
export class ReadAfterService {
  static $inject = ['$window']

  constructor($window) {
    this.storage = $window.sessionStorage
    this.value = this.storage.getItem(KEPT) ?? ''
  }

  note(token) {
    if (typeof token !== 'string' || token <= this.value) return
    this.value = token
    this.storage.setItem(KEPT, token)
  }
}
