import './empty.css'

/** Nothing here yet: says so, and inside it what to do about it. */
export const ghEmpty = {
  bindings: { heading: '@' },
  transclude: true,
  template: '<div class="empty card"><h2>{{ $ctrl.heading }}</h2><div class="soft stack" ng-transclude></div></div>',
}
