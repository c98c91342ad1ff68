const STATES = {
  draft: ['', 'draft'],
  published: ['ok', 'open'],
  paused: ['wait', 'paused'],
  closed: ['', 'closed'],
  claimed: ['info', 'in work'],
  submitted: ['wait', 'submitted'],
  sent_back: ['info', 'sent back'],
  accepted: ['ok', 'accepted'],
  rejected: ['bad', 'rejected'],
  returned: ['', 'returned'],
  expired: ['', 'expired'],
  waiting: ['wait', 'waiting'],
  confirmed: ['ok', 'confirmed'],
  cancelled: ['', 'cancelled'],
  batched: ['info', 'being paid'],
  paid: ['ok', 'paid'],
  failed: ['bad', 'failed'],
  done: ['ok', 'done'],
  refused: ['bad', 'refused'],
}

class StateTagController {
  $onChanges() {
    const [kind, words] = STATES[this.state] ?? ['', String(this.state ?? '').replaceAll('_', ' ')]
    this.kind = kind
    this.words = words
  }
}

/** The state of a project, assignment, deposit, payout or batch, in words and colour. */
export const ghStateTag = {
  bindings: { state: '<' },
  template: '<span class="tag" ng-class="$ctrl.kind">{{ $ctrl.words }}</span>',
  controller: StateTagController,
}
