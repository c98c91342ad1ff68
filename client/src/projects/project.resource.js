projectResource.$inject = ['$resource', 'pages']

/**
 * The API noun `projects`. Verbs: publish, pause, resume, close; asks: quote, progress, check, versions.
 * `query`, `versions` and `batches` return a list with `$next` (see `pages`).
 */
export function projectResource($resource, pages) {
  const one = '/api/v1/projects/:id'
  const verb = (name) => ({ method: 'POST', url: `${one}/${name}`, params: { id: '@id' } })
  const ask = (name, isArray = false) => ({ method: 'GET', url: `${one}/${name}`, isArray })
  return $resource(
    one,
    { id: '@id' },
    {
      query: { method: 'GET', isArray: true, interceptor: pages.keepNext },
      create: { method: 'POST', url: '/api/v1/projects' },
      change: { method: 'PATCH' },
      publish: verb('publish'),
      pause: verb('pause'),
      resume: verb('resume'),
      close: verb('close'),
      discard: { method: 'DELETE', url: `${one}/draft` },
      quote: ask('quote'),
      progress: ask('progress'),
      versions: { ...ask('versions', true), interceptor: pages.keepNext },
      tasks: ask('tasks', true),
      batches: { ...ask('batches', true), interceptor: pages.keepNext },
      check: { method: 'POST', url: '/api/v1/projects/check' },
    },
  )
}
