/** "Show more" under a list that has a page after this one. `next` is the list's `$next`. */
export const ghPager = {
  bindings: { next: '<', busy: '<', onMore: '&' },
  template:
    '<div class="pager" ng-if="$ctrl.next"><button type="button" class="btn" ng-disabled="$ctrl.busy" ng-click="$ctrl.onMore()">' +
    "{{ $ctrl.busy ? 'Loading…' : 'Show more' }}</button></div>",
}
