import angular from 'angular'
import { signedIn } from '../core/route.js'
import { shared } from '../shared/shared.module.js'
import { ghMessagesAbout } from './about/about.component.js'
import { ghAnnouncements } from './announcements/announcements.component.js'
import { ghEnvelope } from './envelope/envelope.component.js'
import { MessagesService } from './messages.service.js'
import { ghMessagesPage } from './page/page.component.js'
import { ghMessageSettings } from './settings/settings.component.js'
import { ghThread } from './thread/thread.component.js'

export const messages = angular
  .module('guildhall.messages', [shared.name])
  .service('messages', MessagesService)
  .component({ ghAnnouncements, ghEnvelope, ghMessagesAbout, ghMessagesPage, ghMessageSettings, ghThread })
  .config(routes)

routes.$inject = ['$routeProvider']
function routes($routeProvider) {
  const page = { template: '<gh-messages-page></gh-messages-page>', title: 'Messages', resolve: signedIn, reloadOnSearch: false }
  $routeProvider
    .when('/messages/settings', { template: '<gh-message-settings></gh-message-settings>', title: 'Message settings', resolve: signedIn })
    .when('/messages', page)
    .when('/messages/:id', { ...page })
}
