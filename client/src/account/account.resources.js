Me.$inject = ['$resource']
/** The signed-in user. */
export function Me($resource) {
  return $resource('/api/v1/me', {}, {
    update: { method: 'PATCH' },
    close: { method: 'POST', url: '/api/v1/me/close' },
  })
}

Session.$inject = ['$resource']
/** Browsers in which the user has signed in. */
export function Session($resource) {
  return $resource('/api/v1/me/sessions/:id', { id: '@id' })
}

AuthorisedApplication.$inject = ['$resource']
/** Applications that the user has let act in their name. */
export function AuthorisedApplication($resource) {
  return $resource('/api/v1/me/applications/:id', { id: '@id' })
}

Application.$inject = ['$resource', 'pages']
/** Applications that the user has registered. */
export function Application($resource, pages) {
  return $resource('/api/v1/applications/:id', { id: '@id' }, {
    query: { method: 'GET', isArray: true, interceptor: pages.keepNext },
    create: { method: 'POST' },
    update: { method: 'PATCH' },
  })
}
