Assignment.$inject = ['$resource', 'pages']
/** One worker's hold on one task. The verbs are the API's: claim, draft, submit, skip, return. */
export function Assignment($resource, pages) {
  const at = '/api/v1/assignments/:id'
  const quiet = { retry: false }
  return $resource(
    at,
    { id: '@id' },
    {
      query: { method: 'GET', isArray: true, interceptor: pages.keepNext },
      claim: { method: 'POST', url: '/api/v1/projects/:project/claim', params: { project: '@project', id: null }, hasBody: false },
      saveDraft: { method: 'PUT', url: `${at}/draft`, ...quiet },
      submit: { method: 'POST', url: `${at}/submit` },
      skip: { method: 'POST', url: `${at}/skip` },
      giveBack: { method: 'POST', url: `${at}/return` },
      summary: { method: 'GET', url: '/api/v1/work/summary', params: { id: null } },
    },
  )
}
