import './feed-card.css'
import template from './feed-card.component.html?raw'

class FeedCardController {
  get wageLabel() {
    if (!this.card.hourly_wage) return 'an hour: not yet measured'
    return this.card.hourly_wage_measured ? 'an hour, measured' : 'an hour, as the requester expects'
  }
}

/** A project in the feed, with what people decide by. `onStart()`, `onHide()`, `onShow()`, `onKeyword({keyword})`. */
export const ghFeedCard = {
  bindings: { card: '<', busy: '<', onStart: '&', onHide: '&', onShow: '&', onKeyword: '&' },
  template,
  controller: FeedCardController,
}
