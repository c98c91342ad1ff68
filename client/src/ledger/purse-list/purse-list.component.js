import template from './purse-list.component.html?raw'

/** The purses a user may see. With only one there is nothing to choose, so it opens at once. */
class PurseListController {
  static $inject = ['Purse', '$location']

  constructor(Purse, $location) {
    Object.assign(this, { Purse, $location })
  }

  $onInit() {
    this.load()
  }

  load() {
    this.failed = null
    this.Purse.query({ kind: 'purse' }).$promise.then(
      (purses) => {
        if (purses.length === 1) this.$location.path(`/purses/${purses[0].id}`).replace()
        else this.purses = purses
      },
      (problem) => (this.failed = problem),
    )
  }
}

export const ghPurseList = { template, controller: PurseListController }
