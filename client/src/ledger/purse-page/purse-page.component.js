import template from './purse-page.component.html?raw'
import './purse-page.css'

export const KINDS = {
  deposit: 'Deposit', fund: 'Into escrow', accept: 'Accepted answer', bonus: 'Bonus', partial: 'Part payment',
  release: 'Back from escrow', payout: 'Payout', payout_failed: 'Payout that failed', fee: 'Fee of the hall', refund: 'Refund',
}

const LIST_LENGTH = 20
const MOVES_MONEY = [
  ...['purse', 'deposit', 'payout', 'project', 'batch'],
  ...['assignment.accepted', 'assignment.bonus', 'assignment.partial'],
]

/** The end of a day that was picked as "to": the statement stops before the instant it is given. */
export function dayAfter(day) {
  const next = new Date(`${day}T00:00:00Z`)
  next.setUTCDate(next.getUTCDate() + 1)
  return next.toISOString().slice(0, 10)
}

/** One purse: what is in it, what is set aside and for what, what moved, and the way in and out. */
class PursePageController {
  static $inject = ['Purse', '$http', 'pages', 'live', 'toast', 'download', 'session', '$routeParams', '$location']

  constructor(Purse, $http, pages, live, toast, download, session, $routeParams, $location) {
    Object.assign(this, { Purse, $http, pages, live, toast, download, session, $location, id: $routeParams.id })
    this.filter = { from: '', to: '' }
    this.kindNames = KINDS
    this.titles = {}
    this.deposits = {}
    this.payouts = {}
    const asked = $location.search().deposit
    if (asked !== undefined) this.dialog = 'deposit'
    this.wanted = /^\d+$/.test(asked) ? Number(asked) : null
  }

  $onInit() {
    this.load()
    this.off = this.live.on(MOVES_MONEY, () => this.refresh(), { every: 15, slow: 60, apart: 2000 })
  }

  $onDestroy() {
    this.off()
  }

  load() {
    this.failed = null
    this.Purse.get({ id: this.id }).$promise.then(
      (purse) => {
        this.purse = purse
        this.loadAround()
        this.loadStatement()
      },
      (problem) => (this.failed = problem),
    )
  }

  refresh() {
    this.Purse.get({ id: this.id }).$promise.then((purse) => {
      const moved = purse.balance.amount !== this.purse?.balance.amount
      this.purse = purse
      if (moved) this.loadStatement()
      this.loadAround()
    }, () => {})
  }

  loadAround() {
    this.loadEscrows()
    if (this.purse.kind !== 'purse') return
    this.loadList('deposits')
    this.loadList('payouts')
  }

  /** `deposits` or `payouts`: the newest anew, and what was shown further down stays. */
  loadList(name) {
    const list = this[name]
    list.failed = null
    this.Purse[name]({ id: this.id, limit: LIST_LENGTH }).$promise.then(
      (newest) => {
        const further = (list.rows || []).length > newest.length ? list.rows : []
        const rows = [...newest, ...further.filter((row) => !newest.some(({ id }) => id === row.id))]
        rows.$next = further.length ? further.$next : newest.$next
        list.rows = rows
      },
      (problem) => (list.failed = list.rows ? null : problem),
    )
  }

  moreOf(name) {
    const list = this[name]
    list.busy = true
    this.pages
      .more(list.rows)
      .then((rows) => (list.rows = rows), (problem) => this.toast.failed('The rest could not be loaded.', problem))
      .finally(() => (list.busy = false))
  }

  loadEscrows() {
    this.escrowsFailed = null
    this.Purse.query({ kind: 'escrow', collective: this.purse.collective?.id }).$promise.then(
      (escrows) => this.takeEscrows(escrows),
      (problem) => (this.escrowsFailed = this.escrows ? null : problem),
    )
  }

  takeEscrows(escrows) {
    this.escrows = escrows.filter((escrow) => escrow.balance.amount > 0 && escrow.held_for?.kind === 'project')
    this.held = { amount: this.escrows.reduce((sum, one) => sum + one.balance.amount, 0), currency: this.purse.balance.currency }
    for (const { held_for: { id } } of this.escrows) {
      if (id in this.titles) continue
      this.titles[id] = null
      this.$http.get(`/api/v1/projects/${id}`).then(({ data }) => (this.titles[id] = data.title), () => {})
    }
  }

  get period() {
    const { from, to } = this.filter
    return { from: from || undefined, to: to ? dayAfter(to) : undefined }
  }

  loadStatement() {
    this.statementFailed = null
    this.Purse.statement({ id: this.id, ...this.period }).$promise.then(
      (entries) => (this.entries = entries),
      (problem) => (this.statementFailed = problem),
    )
  }

  more() {
    this.busy = true
    this.pages
      .more(this.entries)
      .then((entries) => (this.entries = entries), (problem) => this.toast.failed('The rest could not be loaded.', problem))
      .finally(() => (this.busy = false))
  }

  saveStatement() {
    this.saving = true
    this.download
      .save(`/api/v1/purses/${this.id}/statement`, { params: { format: 'csv', ...this.period }, filename: 'statement.csv' })
      .catch((problem) => this.toast.failed('The statement could not be downloaded.', problem))
      .finally(() => (this.saving = false))
  }

  closeDialog() {
    this.dialog = null
    this.$location.search('deposit', null).replace()
  }

  changed(words) {
    if (words) this.toast.say(words)
    this.live.changed('purse')
  }

  cancelDeposit(deposit) {
    this.Purse.cancelDeposit({ id: deposit.id }, {}).$promise.then(
      ({ state }) => {
        deposit.state = state
        this.changed('The deposit is withdrawn.')
      },
      (problem) => this.toast.failed('It could not be withdrawn.', problem),
    )
  }

  cancelPayout(payout) {
    this.Purse.cancelPayout({ id: payout.id }, {}).$promise.then(
      ({ state }) => {
        payout.state = state
        this.changed('The payout is cancelled and the money is back.')
      },
      (problem) => this.toast.failed('It could not be cancelled.', problem),
    )
  }
}

export const ghPursePage = { template, controller: PursePageController }
