import angular from 'angular'
import { signedIn } from '../core/route.js'
import { shared } from '../shared/shared.module.js'
import { Application, AuthorisedApplication, Me, Session } from './account.resources.js'
import { ghAuthorised } from './authorised/authorised.component.js'
import { ghAccountLayout } from './layout/layout.component.js'
import { ghOwnApplications } from './own-applications/own-applications.component.js'
import { ghOwnData } from './own-data/own-data.component.js'
import { ghProfile } from './profile/profile.component.js'
import { ghSecurity } from './security/security.component.js'
import { ghSessions } from './sessions/sessions.component.js'

export const account = angular
  .module('guildhall.account', [shared.name])
  .factory('Me', Me)
  .factory('Session', Session)
  .factory('Application', Application)
  .factory('AuthorisedApplication', AuthorisedApplication)
  .component({ ghAccountLayout, ghAuthorised, ghOwnApplications, ghOwnData, ghProfile, ghSecurity, ghSessions })
  .config(routes)

routes.$inject = ['$routeProvider']
function routes($routeProvider) {
  const page = (template, title) => ({ template, title, resolve: signedIn })
  $routeProvider
    .when('/account', page('<gh-profile></gh-profile>', 'Profile'))
    .when('/account/security', page('<gh-security></gh-security>', 'Security'))
    .when('/account/sessions', page('<gh-sessions></gh-sessions>', 'Sessions'))
    .when('/account/applications', page('<gh-authorised></gh-authorised>', 'Authorised applications'))
    .when('/account/own-applications', page('<gh-own-applications></gh-own-applications>', 'Own applications'))
    .when('/account/data', page('<gh-own-data></gh-own-data>', 'Own data'))
}
