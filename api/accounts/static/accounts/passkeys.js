// Says what went wrong when a passkey could not be used; allauth's script only writes it to the console.
document.addEventListener('allauth.error', function (event) {
  const place = document.getElementById('passkey-error')
  if (!place) return
  event.preventDefault()
  const cancelled = event.detail.exception && event.detail.exception.name === 'NotAllowedError'
  place.textContent = cancelled
    ? 'No passkey was used. Try again, or go on in another way.'
    : 'This browser could not use the passkey. Try again, or go on in another way.'
  place.hidden = false
})
