Feed.$inject = ['$resource', 'pages']
/** Projects as a worker sees them. */
export function Feed($resource, pages) {
  const hidden = { url: '/api/v1/projects/:project/hide', params: { project: '@project' } }
  return $resource(
    '/api/v1/feed/:project',
    { project: '@project' },
    {
      query: { method: 'GET', isArray: true, interceptor: pages.keepNext },
      hide: { method: 'POST', hasBody: false, ...hidden },
      show: { method: 'DELETE', ...hidden },
    },
  )
}
