/** The page for an address that leads nowhere. */
export const ghNotFound = {
  template:
    '<div class="page slim"><gh-empty heading="There is no such page"><p>The address may be mistyped, or what was here has gone.</p>' +
    '<p><a class="btn" href="/">Go to the start</a></p></gh-empty></div>',
}
