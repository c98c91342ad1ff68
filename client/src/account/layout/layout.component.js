import './layout.css'
import template from './layout.component.html?raw'

const PAGES = [
  { path: '/account', words: 'Profile' },
  { path: '/account/security', words: 'Security' },
  { path: '/account/sessions', words: 'Sessions' },
  { path: '/account/applications', words: 'Authorised applications' },
  { path: '/account/own-applications', words: 'Own applications' },
  { path: '/account/data', words: 'Own data' },
]

class AccountLayoutController {
  static $inject = ['$location', 'session']

  constructor($location, session) {
    Object.assign(this, { $location, session, pages: PAGES })
  }

  isCurrent(page) {
    return this.$location.path() === page.path
  }
}

/** The frame of all account pages: their navigation, and the page inside. */
export const ghAccountLayout = { bindings: { heading: '@' }, transclude: true, template, controller: AccountLayoutController }
