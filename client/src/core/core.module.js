import angular from 'angular'
import 'angular-aria'
import 'angular-resource'
import 'angular-route'
import { apiInterceptor } from './api.interceptor.js'
import { ClockService } from './clock.service.js'
import { DownloadService } from './download.service.js'
import { LastWordsService } from './last-words.service.js'
import { LiveService } from './live.service.js'
import { PagesService } from './pages.service.js'
import { ReadAfterService } from './read-after.service.js'
import { SessionService } from './session.service.js'
import { ToastService } from './toast.service.js'

export const core = angular
  .module('guildhall.core', ['ngRoute', 'ngResource', 'ngAria'])
  .service('session', SessionService)
  .service('clock', ClockService)
  .service('readAfter', ReadAfterService)
  .service('live', LiveService)
  .service('pages', PagesService)
  .service('toast', ToastService)
  .service('download', DownloadService)
  .service('lastWords', LastWordsService)
  .factory('apiInterceptor', apiInterceptor)
  .config(configure)
  .run(announceRoutes)

configure.$inject = [
  '$httpProvider',
  '$locationProvider',
  '$resourceProvider',
  '$compileProvider',
  '$routeProvider',
  '$ariaProvider',
]
function configure($http, $location, $resource, $compile, $route, $aria) {
  $http.interceptors.push('apiInterceptor')
  $location.html5Mode({ enabled: true, requireBase: false, rewriteLinks: true })
  $resource.defaults.stripTrailingSlashes = true
  $compile.debugInfoEnabled(false).commentDirectivesEnabled(false).cssClassDirectivesEnabled(false)
  // Native controls already say everything that ngAria would add to them.
  $aria.config({ bindKeydown: false, bindRoleForClick: false, tabindex: false, ariaInvalid: false })
  $route
    .when('/signed-in', { template: '<p class="page" role="status">Signing in…</p>', resolve: { settled: ['session', (s) => s.settled()] } })
    .otherwise({ template: '<gh-not-found></gh-not-found>', title: 'Not found' })
}

announceRoutes.$inject = ['$rootScope', '$window']
/** After a change of page: its title, the top of it, and the focus at its start. */
function announceRoutes($rootScope, $window) {
  const { document } = $window
  let first = true
  $rootScope.$on('$routeChangeSuccess', (change, route) => {
    setTitle(document, route?.$$route?.title)
    if (!first) {
      $window.scrollTo?.(0, 0)
      document.getElementById('main')?.focus({ preventScroll: true })
    }
    first = false
  })
}

export function setTitle(document, title) {
  document.title = title ? `${title} · Guildhall` : 'Guildhall'
}
