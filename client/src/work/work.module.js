import angular from 'angular'
import { shared } from '../shared/shared.module.js'

export const work = angular.module('guildhall.work', [shared.name])
