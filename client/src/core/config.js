/** Where the API is. Empty means: where this page came from. */
function apiOrigin() {
  const named = document.querySelector('meta[name="guildhall-api"]')?.content || import.meta.env.VITE_API_ORIGIN || ''
  return named.replace(/\/+$/, '')
}

export const config = {
  apiOrigin: apiOrigin(),
  clientId: import.meta.env.VITE_CLIENT_ID || 'guildhall-web',
  redirectUri: import.meta.env.VITE_REDIRECT_URI || `${window.location.origin}/signed-in`,
  scopes: [
    'account:read',
    'account:write',
    'projects:read',
    'projects:write',
    'work:read',
    'work:write',
    'reviews:read',
    'reviews:write',
    'ledger:read',
    'ledger:write',
    'collectives:read',
    'collectives:write',
    'messages:read',
    'messages:write',
  ],
}

/** Where live updates come from: `/ws` of the host that the page or the build names, or of the API's. */
export function liveUrl() {
  const named = document.querySelector('meta[name="guildhall-live"]')?.content || import.meta.env.VITE_LIVE_ORIGIN
  const url = new URL(`${named || config.apiOrigin}/ws`, window.location.href)
  url.protocol = url.protocol.replace(/^http/, 'ws')
  return url.href
}

/** The full address of something on the server: `/accounts/2fa/` → `https://api.example/accounts/2fa/`. */
export function serverUrl(path) {
  return config.apiOrigin + path
}

/** Where the browser's sign-in ends. The server leads back to `home`, this page's origin, if that is not its own. */
export function signOutUrl(home = window.location.origin, server = config.apiOrigin) {
  const elsewhere = server && server !== home
  return `${server}/accounts/logout/${elsewhere ? `?next=${encodeURIComponent(`${home}/`)}` : ''}`
}
