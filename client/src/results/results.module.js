import angular from 'angular'
import { signedIn } from '../core/route.js'
import { projects } from '../projects/projects.module.js'
import { shared } from '../shared/shared.module.js'
import { resultResource } from './result.resource.js'
import { ghResultsPage } from './results-page/results-page.component.js'
import { ghWorkerQuality } from './worker-quality/worker-quality.component.js'

export const results = angular
  .module('guildhall.results', [shared.name, projects.name])
  .factory('Result', resultResource)
  .component({ ghResultsPage, ghWorkerQuality })
  .config(routes)

routes.$inject = ['$routeProvider']
function routes($routeProvider) {
  $routeProvider.when('/projects/:id/results', {
    template: '<gh-results-page></gh-results-page>',
    title: 'Results',
    resolve: signedIn,
    reloadOnSearch: false,
  })
}
