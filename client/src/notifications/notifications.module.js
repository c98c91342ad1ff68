import angular from 'angular'
import { signedIn } from '../core/route.js'
import { shared } from '../shared/shared.module.js'
import { ghBell } from './bell/bell.component.js'
import { ghInbox } from './inbox/inbox.component.js'
import { NotificationsService } from './notifications.service.js'

export const notifications = angular
  .module('guildhall.notifications', [shared.name])
  .service('notifications', NotificationsService)
  .component({ ghBell, ghInbox })
  .config(routes)

routes.$inject = ['$routeProvider']
function routes($routeProvider) {
  $routeProvider.when('/notifications', { template: '<gh-inbox></gh-inbox>', title: 'Notifications', resolve: signedIn, reloadOnSearch: false })
}
