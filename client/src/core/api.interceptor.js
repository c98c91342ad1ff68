import { config as site } from './config.js'
import { Problem, problemOf } from './problem.js'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const RETRIED = new Set([502, 503, 504])
const ATTEMPTS = 4
const LONGEST_WAIT_MS = 20_000

/**
 * What every call of the API has in common: address, token, idempotency key, how far the database must have come,
 * retries, one shape of error.
 *
 * A call is repeated when no answer came or the server says "not now". Unsafe calls are repeated too, since the key
 * in their headers stays the same and the server does such a call once.
 */
apiInterceptor.$inject = ['$injector', '$q', '$timeout', 'clock', 'readAfter']
export function apiInterceptor($injector, $q, $timeout, clock, readAfter) {
  const session = () => $injector.get('session')
  const http = (config) => $injector.get('$http')(config)

  function request(config) {
    if (!isOurs(config.url)) return config
    if (!config.url.startsWith('http')) config.url = site.apiOrigin + config.url
    config.sentAt = Date.now()
    if (config.anonymous) return config
    config.attempt ??= 1
    config.headers ??= {}
    if (!SAFE.has(config.method)) config.headers['Idempotency-Key'] ??= crypto.randomUUID()
    // Anew for each attempt: meanwhile there may have been a later one.
    else if (readAfter.value) config.headers['X-Read-After'] = readAfter.value
    return session()
      .accessToken()
      .then((token) => {
        if (token) config.headers.Authorization = `Bearer ${token}`
        config.usedToken = token
        return config
      })
  }

  function response(answer) {
    const { config, data } = answer
    noteReadAfter(answer)
    if (config.sentAt && data?.server_time && !answer.headers('Idempotency-Replayed')) {
      clock.sync(data.server_time, config.sentAt, Date.now())
    }
    return answer
  }

  function responseError(rejection) {
    const config = rejection?.config
    if (!config || !isOurs(config.url)) return $q.reject(rejection)
    noteReadAfter(rejection)
    if (rejection.data instanceof Blob) {
      // A download that failed: its problem document came as a file.
      return $q.when(rejection.data.text()).then((text) => responseError({ ...rejection, data: text }))
    }
    if (config.anonymous || rejection.xhrStatus === 'abort') return $q.reject(problemOf(rejection))
    if (rejection.status === 401) return signInAgain(config, rejection)
    const wait = waitBeforeRetry(config, rejection)
    if (wait === null) return $q.reject(problemOf(rejection))
    return $timeout(wait).then(() => http({ ...config, attempt: config.attempt + 1 }))
  }

  function noteReadAfter({ config, headers }) {
    if (isOurs(config.url)) readAfter.note(headers?.('X-Read-After'))
  }

  function signInAgain(config, rejection) {
    const current = session()
    if (config.signedInAgain) {
      current.signIn()
      return $q.reject(problemOf(rejection))
    }
    const again = () => http({ ...config, signedInAgain: true })
    // Another call may have refreshed the token while this one was on its way.
    if (current.tokens && current.tokens.access_token !== config.usedToken) return again()
    return current.refresh().then(again, (problem) => {
      if (problem instanceof Problem && problem.code === 'offline') return $q.reject(problem)
      if (current.isSignedIn) current.signIn()
      return $q.reject(problemOf(rejection))
    })
  }

  return { request, response, responseError }
}

/** Milliseconds to wait before the next attempt, or null when there is to be none. */
export function waitBeforeRetry(config, rejection, random = Math.random) {
  const unanswered = rejection.status <= 0
  const busy = RETRIED.has(rejection.status) || rejection.status === 429
  if (config.retry === false || config.attempt >= ATTEMPTS || !(unanswered || busy)) return null
  const asked = Number(rejection.headers?.('Retry-After')) * 1000
  if (asked > LONGEST_WAIT_MS) return null
  const backoff = 300 * 2 ** (config.attempt - 1)
  return Math.max(asked || 0, backoff * (0.5 + random()))
}

function isOurs(url) {
  const path = site.apiOrigin && url.startsWith(site.apiOrigin) ? url.slice(site.apiOrigin.length) : url
  if (/^\/(api|oauth)\//.test(path)) return true
  return /^https?:/.test(path) && new URL(path).origin === window.location.origin && /^\/(api|oauth)\//.test(new URL(path).pathname)
}
