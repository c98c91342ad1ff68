import angular from 'angular'
import { shared } from '../shared/shared.module.js'

export const account = angular.module('guildhall.account', [shared.name])
