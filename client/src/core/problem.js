const OFFLINE = 'The server cannot be reached. Check the connection; nothing you typed is lost.'
const UNKNOWN = 'Something went wrong. Try again; if it happens again, tell the operator the number below.'

/**
 * What every failed call rejects with, whatever failed.
 *
 * `status` is 0 when no answer came. `code` is the stable name from the problem document, `offline` or `error`.
 * `fields` maps a field's path to its first message; `body` is the whole document.
 */
export class Problem extends Error {
  constructor({ status = 0, code = 'error', title = '', detail = UNKNOWN, errors = [], requestId = '', body = {} }) {
    super(detail)
    Object.assign(this, { name: 'Problem', status, code, title, detail, errors, requestId, body })
    this.fields = {}
    for (const error of errors) this.fields[error.field] ??= error.detail
  }
}

/** A Problem made of a rejected $http response. */
export function problemOf(response) {
  if (response instanceof Problem) return response
  if (response instanceof Error) return new Problem({ detail: response.message })
  const status = response?.status ?? 0
  if (status <= 0) return new Problem({ code: 'offline', title: 'No connection', detail: OFFLINE })
  const body = readBody(response.data)
  return new Problem({
    status,
    code: body.code || `http_${status}`,
    title: body.title || '',
    detail: body.detail || UNKNOWN,
    errors: Array.isArray(body.errors) ? body.errors : [],
    requestId: body.request_id || response.headers?.('X-Request-ID') || '',
    body,
  })
}

function readBody(data) {
  if (data && typeof data === 'object') return data
  if (typeof data === 'string' && data.startsWith('{')) {
    try {
      return JSON.parse(data)
    } catch {
      return {}
    }
  }
  return {}
}
