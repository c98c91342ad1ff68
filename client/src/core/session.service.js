import { config, serverUrl, signOutUrl } from './config.js'
import { challengeOf, randomToken } from './pkce.js'
import { problemOf } from './problem.js'

const PENDING = 'guildhall.signing-in'
const HINT = 'guildhall.was-signed-in'
const THEME = 'guildhall.theme'
const REFRESH_EARLY_MS = 60_000
const RETRY_REFRESH_MS = 15_000

/**
 * Who is signed in, by OAuth2 (authorisation code with PKCE).
 *
 * Tokens live in this object only. A reload loses them; the hint in localStorage (a flag, no secret) says that going
 * through the authorisation page again will succeed without a question, and where to come back to is kept in
 * sessionStorage for the length of that redirect.
 */
export class SessionService {
  static $inject = ['$window', '$http', '$q', '$timeout', '$location']

  constructor($window, $http, $q, $timeout, $location) {
    Object.assign(this, { $window, $http, $q, $timeout, $location })
    this.me = null
    this.tokens = null
    this.refreshing = null
    this.refreshTimer = null
    this.settling = null
    this.leaving = false
    this.failure = ''
    this.tokenListeners = new Set()
    // Before it is known who is here, the page looks as it did to whoever was.
    this.showTheme($window.localStorage.getItem(THEME))
    // Coming back to this very page by the Back button, out of the browser's memory: it has not left after all.
    $window.addEventListener('pageshow', () => {
      this.leaving = false
    })
  }

  get isSignedIn() {
    return this.me !== null
  }

  uses(what) {
    return this.isSignedIn && (this.me.uses.length === 0 || this.me.uses.includes(what))
  }

  /** Resolves when it is known whether somebody is signed in. Asks only once. */
  settled() {
    this.settling ??= this.start()
    return this.settling
  }

  /** Resolves with the user, or goes to the sign-in page and never resolves. */
  required() {
    return this.settled().then(() => {
      if (this.isSignedIn) return this.me
      this.signIn()
      return this.never()
    })
  }

  start() {
    const url = new URL(this.$window.location.href)
    const pending = this.takePending()
    if (url.pathname === new URL(config.redirectUri, url).pathname) return this.comeBack(url.searchParams, pending)
    if (!this.hint()) return this.$q.resolve()
    if (pending) {
      // The last redirect was given up half-way, so the browser's sign-in has ended: do not insist.
      this.forget()
      return this.$q.resolve()
    }
    this.signIn()
    return this.never()
  }

  /** Leave for the authorisation page; afterwards the user is back at `path`. */
  async signIn(path = this.here(), more = {}) {
    if (this.leaving) return
    this.leaving = true
    const pending = { state: randomToken(), verifier: randomToken(), path }
    this.$window.sessionStorage.setItem(PENDING, JSON.stringify(pending))
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: config.clientId,
      redirect_uri: config.redirectUri,
      scope: config.scopes.join(' '),
      state: pending.state,
      code_challenge: await challengeOf(pending.verifier),
      code_challenge_method: 'S256',
      ...more,
    })
    this.$window.location.assign(serverUrl(`/oauth/authorize?${query}`))
  }

  /** The same by way of making an account, so that a new user comes back signed in. */
  signUp() {
    return this.signIn('/', { prompt: 'create' })
  }

  /** Revoke what this page holds, then end the browser's sign-in too. */
  signOut() {
    const token = this.tokens?.refresh_token ?? this.tokens?.access_token
    this.forget()
    const leave = () => this.$window.location.assign(signOutUrl())
    if (!token) return this.$q.resolve(leave())
    return this.post('/oauth/revoke', { token }).then(leave, leave)
  }

  /** The account is gone, or the tokens were revoked elsewhere. */
  forget() {
    this.$window.localStorage.removeItem(HINT)
    this.$timeout.cancel(this.refreshTimer)
    this.tokens = null
    this.me = null
    this.tellToken()
  }

  /** Resolves with a usable access token, refreshing it first when it has run out; null when signed out. */
  accessToken() {
    if (!this.tokens) return this.$q.resolve(null)
    if (Date.now() < this.tokens.expires_at) return this.$q.resolve(this.tokens.access_token)
    return this.refresh().then(
      () => this.tokens?.access_token ?? null,
      () => null,
    )
  }

  /** Exchange the refresh token. Calls made while one is under way share its outcome. */
  refresh() {
    if (!this.tokens?.refresh_token) return this.$q.reject(new Error('no refresh token'))
    this.refreshing ??= this.post('/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: this.tokens.refresh_token,
    })
      .then(
        (response) => this.keep(response.data),
        (response) => {
          const problem = problemOf(response)
          const refused = problem.status >= 400 && problem.status < 500 && problem.status !== 429
          if (refused) this.tokens = null
          else this.refreshLater(RETRY_REFRESH_MS)
          return this.$q.reject(problem)
        },
      )
      .finally(() => {
        this.refreshing = null
      })
    return this.refreshing
  }

  /** Call `fn` with each new access token, and with null when nobody is signed in any more. */
  onToken(fn) {
    this.tokenListeners.add(fn)
    return () => this.tokenListeners.delete(fn)
  }

  tellToken() {
    for (const fn of this.tokenListeners) fn(this.tokens?.access_token ?? null)
  }

  loadMe() {
    return this.$http.get('/api/v1/me').then((response) => this.setMe(response.data))
  }

  setMe(me) {
    this.me = me
    this.showTheme(me.theme)
    this.$window.localStorage.setItem(THEME, me.theme)
    return me
  }

  showTheme(theme) {
    const root = this.$window.document.documentElement
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
    else delete root.dataset.theme
  }

  comeBack(answer, pending) {
    const leave = (path) => this.$location.url(path).replace()
    if (!pending || answer.get('state') !== pending.state) {
      // Not an answer to a question this tab asked: drop it unread.
      leave('/')
      return this.$q.resolve()
    }
    if (!answer.get('code')) {
      this.giveUp(answer.get('error_description') || answer.get('error'))
      leave('/')
      return this.$q.resolve()
    }
    return this.post('/oauth/token', {
      grant_type: 'authorization_code',
      code: answer.get('code'),
      redirect_uri: config.redirectUri,
      code_verifier: pending.verifier,
    })
      .then((response) => {
        this.keep(response.data)
        this.$window.localStorage.setItem(HINT, '1')
        return this.loadMe()
      })
      .then(
        () => leave(pending.path),
        (problem) => {
          this.giveUp(problemOf(problem).detail)
          leave('/')
        },
      )
  }

  /** Signing in has failed. The start page says so; going on by itself would only fail again, in a circle. */
  giveUp(why) {
    this.forget()
    this.failure = why || 'the server did not say why.'
  }

  keep(tokens) {
    const lasts = tokens.expires_in * 1000
    const early = Math.min(REFRESH_EARLY_MS, lasts / 4)
    this.tokens = { ...tokens, expires_at: Date.now() + lasts - early / 2 }
    this.refreshLater(lasts - early)
    this.tellToken()
    return this.tokens
  }

  refreshLater(wait) {
    this.$timeout.cancel(this.refreshTimer)
    this.refreshTimer = this.$timeout(() => this.refresh().catch(() => {}), wait)
  }

  /** A form post of the OAuth2 protocol: no bearer token, no retry (a code or refresh token is good only once). */
  post(path, fields) {
    return this.$http({
      method: 'POST',
      url: path,
      data: new URLSearchParams({ client_id: config.clientId, ...fields }).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' },
      anonymous: true,
    })
  }

  takePending() {
    const text = this.$window.sessionStorage.getItem(PENDING)
    this.$window.sessionStorage.removeItem(PENDING)
    try {
      return JSON.parse(text)
    } catch {
      return null
    }
  }

  hint() {
    return this.$window.localStorage.getItem(HINT) === '1'
  }

  here() {
    return this.$location.url() || '/'
  }

  never() {
    return this.$q(() => {})
  }
}
