reviewResource.$inject = ['$resource', 'pages']

/** Assignments as a reviewer sees them. Verbs on one: accept, reject, sendBack, bonus, payPartial; on many: acceptMany, rejectMany, sendBackMany. */
export function reviewResource($resource, pages) {
  const verb = (path) => ({ method: 'POST', url: `/api/v1/assignments/:id/${path}` })
  const many = (path) => ({ method: 'POST', url: `/api/v1/projects/:project/assignments/${path}` })
  return $resource('/api/v1/reviews/assignments/:id', { id: '@id' }, {
    ofProject: { method: 'GET', url: '/api/v1/projects/:project/assignments', isArray: true, interceptor: pages.keepNext },
    accept: verb('accept'),
    reject: verb('reject'),
    sendBack: verb('send-back'),
    bonus: verb('bonus'),
    payPartial: verb('pay-partial'),
    acceptMany: many('accept'),
    rejectMany: many('reject'),
    sendBackMany: many('send-back'),
    version: { method: 'GET', url: '/api/v1/versions/:version', cache: true },
  })
}
