import { serverUrl } from '../../core/config.js'
import template from './security.component.html?raw'

class SecurityController {
  static $inject = ['session']

  constructor(session) {
    this.session = session
    this.pages = {
      email: serverUrl('/accounts/email/'),
      password: serverUrl('/accounts/password/change/'),
      totp: serverUrl('/accounts/2fa/totp/activate/'),
      passkeys: serverUrl('/accounts/2fa/webauthn/'),
      codes: serverUrl('/accounts/2fa/recovery-codes/'),
      factors: serverUrl('/accounts/2fa/'),
    }
  }

  $onInit() {
    // The pages behind these links change what stands here, so it is fetched anew each time.
    this.load()
  }

  load() {
    this.problem = null
    return this.session.loadMe().then(
      (me) => (this.me = me),
      (problem) => (this.problem = problem),
    )
  }
}

/** How the account is protected. Passwords and second factors are changed on the server's own pages. */
export const ghSecurity = { template, controller: SecurityController }
