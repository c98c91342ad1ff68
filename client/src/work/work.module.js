import angular from 'angular'
import { signedIn } from '../core/route.js'
import { notifications } from '../notifications/notifications.module.js'
import { shared } from '../shared/shared.module.js'
import { Assignment } from './assignment.resource.js'
import { ghCountdown } from './countdown/countdown.component.js'
import { ghEarnings } from './earnings/earnings.component.js'
import { ghFeed } from './feed/feed.component.js'
import { Feed } from './feed.resource.js'
import { ghFeedCard } from './feed-card/feed-card.component.js'
import { ghMyWork } from './my-work/my-work.component.js'
import { ghProjectPreview } from './project-preview/project-preview.component.js'
import { StartService } from './start.service.js'
import { ghTask } from './task/task.component.js'
import { VersionsService } from './versions.service.js'

export const work = angular
  .module('guildhall.work', [shared.name, notifications.name])
  .factory('Assignment', Assignment)
  .factory('Feed', Feed)
  .service('versions', VersionsService)
  .service('start', StartService)
  .component({ ghCountdown, ghEarnings, ghFeed, ghFeedCard, ghMyWork, ghProjectPreview, ghTask })
  .config(routes)

routes.$inject = ['$routeProvider']
function routes($routeProvider) {
  $routeProvider
    .when('/feed', { template: '<gh-feed></gh-feed>', title: 'Find work', resolve: signedIn, reloadOnSearch: false })
    .when('/feed/:project', { template: '<gh-project-preview></gh-project-preview>', title: 'Project', resolve: signedIn })
    // The task page goes from one assignment to the next by itself, so a change of address does not make it anew.
    .when('/assignments/:id', { template: '<gh-task></gh-task>', title: 'Task', resolve: signedIn, reloadOnUrl: false })
    .when('/work', { template: '<gh-my-work></gh-my-work>', title: 'My work', resolve: signedIn, reloadOnSearch: false })
    .when('/earnings', { template: '<gh-earnings></gh-earnings>', title: 'Earnings', resolve: signedIn })
}
