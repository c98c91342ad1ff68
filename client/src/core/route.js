/**
 * A route's `resolve` for pages that need somebody signed in:
 * `when('/work', { template: '<gh-my-work></gh-my-work>', title: 'My work', resolve: signedIn })`.
 */
export const signedIn = { me: ['session', (session) => session.required()] }

/** For pages that anybody may open, but that look different to somebody signed in. */
export const anybody = { settled: ['session', (session) => session.settled()] }
