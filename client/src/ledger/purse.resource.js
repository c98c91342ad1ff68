purseResource.$inject = ['$resource', 'pages']

/** The API noun `purses`, with what goes in (`deposits`, `deposit`) and out (`payouts`, `payout`). */
export function purseResource($resource, pages) {
  const one = '/api/v1/purses/:id'
  const list = (name) => ({ method: 'GET', url: `${one}/${name}`, isArray: true, interceptor: pages.keepNext })
  const make = (name) => ({ method: 'POST', url: `${one}/${name}` })
  return $resource(one, { id: '@id' }, {
    query: { method: 'GET', isArray: true, interceptor: pages.keepNext },
    statement: list('statement'),
    deposits: list('deposits'),
    deposit: make('deposit'),
    payouts: list('payouts'),
    payout: make('payouts'),
    cancelDeposit: { method: 'POST', url: '/api/v1/deposits/:id/cancel' },
    cancelPayout: { method: 'POST', url: '/api/v1/payouts/:id/cancel' },
    providers: { method: 'GET', url: '/api/v1/providers', isArray: true },
  })
}
