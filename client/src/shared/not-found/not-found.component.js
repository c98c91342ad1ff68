/** The page for an address that leads nowhere. */
export const ghNotFound = {
  template:
    '<div class="page slim"><h1 class="sr">Not found</h1><gh-empty heading="There is no such page"><p>The address may be mistyped, or what was here has gone.</p>' +
    '<p><a class="btn" href="/">Go to the start</a></p></gh-empty></div>',
}
