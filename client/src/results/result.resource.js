resultResource.$inject = ['$resource', 'pages']

/** A project's results: `summary` of the aggregated labels, `workers` by their quality. */
export function resultResource($resource, pages) {
  const one = '/api/v1/projects/:id/results'
  return $resource(one, { id: '@id' }, {
    summary: { method: 'GET', url: `${one}/summary` },
    workers: { method: 'GET', url: `${one}/workers`, isArray: true, interceptor: pages.keepNext },
  })
}
