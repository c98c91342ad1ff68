import './fact.css'

/** One number people decide by, large, with what it is beneath. Several stand in a `<div class="facts">`. */
export const ghFact = {
  bindings: { label: '@', bad: '<' },
  transclude: true,
  template: '<b ng-class="{ bad: $ctrl.bad }" ng-transclude></b><span>{{ $ctrl.label }}</span>',
}
