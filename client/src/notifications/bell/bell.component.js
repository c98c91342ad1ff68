import './bell.css'
import template from './bell.component.html?raw'

const MOST_SHOWN = 99

class BellController {
  static $inject = ['$location', 'notifications']

  constructor($location, notifications) {
    Object.assign(this, { $location, notifications })
  }

  $onInit() {
    this.off = this.notifications.follow()
  }

  $onDestroy() {
    this.off()
  }

  get count() {
    const { unread } = this.notifications
    return unread > MOST_SHOWN ? `${MOST_SHOWN}+` : String(unread)
  }

  get label() {
    return this.notifications.unread ? `Notifications, ${this.count} unread` : 'Notifications'
  }

  get isCurrent() {
    return this.$location.path() === '/notifications'
  }
}

/** The way to the notifications, with how many are unread. */
export const ghBell = { template, controller: BellController }
