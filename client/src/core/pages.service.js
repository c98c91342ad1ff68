/**
 * Lists that come in pages (RFC 8288).
 *
 * `pages.keepNext` is an interceptor for a $resource action: the list then has `$next`, the address of the page
 * after it, or null. `pages.more(list)` resolves with a new list that has that page's rows too.
 */
export class PagesService {
  static $inject = ['$http']

  constructor($http) {
    this.$http = $http
    this.keepNext = {
      response: (response) => {
        response.resource.$next = nextOf(response.headers('Link'))
        return response.resource
      },
    }
  }

  /** The first page of the list at `url`. */
  first(url, params) {
    return this.$http.get(url, { params }).then((response) => this.listOf(response))
  }

  more(list) {
    return this.$http.get(list.$next).then((response) => {
      const page = this.listOf(response)
      const whole = [...list, ...page]
      whole.$next = page.$next
      return whole
    })
  }

  listOf(response) {
    const list = response.data
    list.$next = nextOf(response.headers('Link'))
    return list
  }
}

/** The address of `rel="next"` in a Link header. */
export function nextOf(header) {
  for (const part of (header ?? '').split(/,\s*(?=<)/)) {
    const match = /^<([^>]*)>(.*)$/.exec(part.trim())
    if (match && /;\s*rel="?next"?/i.test(match[2])) return match[1]
  }
  return null
}
