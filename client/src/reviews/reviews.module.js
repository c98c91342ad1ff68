import angular from 'angular'
import { signedIn } from '../core/route.js'
import { projects } from '../projects/projects.module.js'
import { shared } from '../shared/shared.module.js'
import { ghReviewDetail } from './review-detail/review-detail.component.js'
import { ghReviewMany } from './review-many/review-many.component.js'
import { ghReviewPage } from './review-page/review-page.component.js'
import { reviewResource } from './review.resource.js'

export const reviews = angular
  .module('guildhall.reviews', [shared.name, projects.name])
  .factory('Review', reviewResource)
  .component({ ghReviewDetail, ghReviewMany, ghReviewPage })
  .config(routes)

routes.$inject = ['$routeProvider']
function routes($routeProvider) {
  $routeProvider.when('/projects/:id/review', {
    template: '<gh-review-page></gh-review-page>',
    title: 'Review',
    resolve: signedIn,
    reloadOnSearch: false,
  })
}
