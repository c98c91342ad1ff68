import angular from 'angular'
import { anybody } from '../core/route.js'
import { shared } from '../shared/shared.module.js'
import { ghHome } from './home.component.js'

export const home = angular.module('guildhall.home', [shared.name]).component({ ghHome }).config(routes)

routes.$inject = ['$routeProvider']
function routes($routeProvider) {
  $routeProvider.when('/', { template: '<gh-home></gh-home>', resolve: anybody })
}
