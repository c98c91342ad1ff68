import angular from 'angular'
import { signedIn } from '../core/route.js'
import { shared } from '../shared/shared.module.js'
import { ghDepositDialog } from './deposit-dialog/deposit-dialog.component.js'
import { ghPayoutDialog } from './payout-dialog/payout-dialog.component.js'
import { ghPurseList } from './purse-list/purse-list.component.js'
import { ghPursePage } from './purse-page/purse-page.component.js'
import { purseResource } from './purse.resource.js'

export const ledger = angular
  .module('guildhall.ledger', [shared.name])
  .factory('Purse', purseResource)
  .component({ ghDepositDialog, ghPayoutDialog, ghPurseList, ghPursePage })
  .config(routes)

routes.$inject = ['$routeProvider']
function routes($routeProvider) {
  $routeProvider
    .when('/purses', { template: '<gh-purse-list></gh-purse-list>', title: 'Purse', resolve: signedIn })
    .when('/purses/:id', { template: '<gh-purse-page></gh-purse-page>', title: 'Purse', resolve: signedIn, reloadOnSearch: false })
}
