// Finds operations, and opens the one that the address names. Without this the page is all there, closed.
const search = document.getElementById('search')
const field = document.getElementById('q')
const found = document.getElementById('found')
const all = document.querySelector('.list-of-all')
const named = [...document.querySelectorAll('[data-words]')]
const parts = [...document.querySelectorAll('.index section, .domain')]

function show() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean)
  for (const each of named) each.hidden = !words.every((word) => each.dataset.words.toLowerCase().includes(word))
  for (const part of parts) {
    const own = [...part.querySelectorAll('[data-words]')]
    part.hidden = own.length > 0 && own.every((each) => each.hidden)
  }
  const count = document.querySelectorAll('.operation[data-words]:not([hidden])').length
  found.textContent = words.length ? `${count} found` : ''
}

function open() {
  const meant = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (!meant) return
  if (meant.hidden || meant.closest('[hidden]')) {
    field.value = ''
    show()
  }
  if (meant.tagName === 'DETAILS') meant.open = true
  meant.scrollIntoView()
}

search.hidden = false
if (matchMedia('(max-width: 899px)').matches) all.open = false
field.addEventListener('input', () => {
  all.open = true
  show()
})
addEventListener('hashchange', open)
open()
