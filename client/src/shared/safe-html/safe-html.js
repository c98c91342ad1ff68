/**
 * Turns HTML text into nodes, keeping only what is on these lists.
 *
 * The server has cleaned the text already; this makes the page safe even if it had not. The text is parsed into a
 * document of its own, which runs no script and loads nothing, and every node is made anew.
 */
const KEPT = new Set(
  ('a abbr b blockquote br caption code dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small ' +
    'span strong sub summary sup table tbody td tfoot th thead tr u ul var').split(' '),
)
const DROPPED = new Set(
  'script style template iframe frame object embed svg math noscript textarea select option button form input title head link meta base'.split(' '),
)
const ATTRIBUTES = {
  a: ['href', 'title'],
  abbr: ['title'],
  details: ['open'],
  img: ['src', 'alt', 'title', 'width', 'height'],
  ol: ['start'],
  td: ['colspan', 'rowspan'],
  th: ['colspan', 'rowspan', 'scope'],
}

/** A fragment of safe nodes. Headings are moved down below the page's own (h1 → h3). */
export function safeFragment(html, document = window.document) {
  const source = new DOMParser().parseFromString(String(html ?? ''), 'text/html')
  const target = document.createDocumentFragment()
  copy(source.body, target, document)
  return target
}

function copy(from, to, document) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(document.createTextNode(node.data))
    else if (node.nodeType === Node.ELEMENT_NODE) copyElement(node, to, document)
  }
}

function copyElement(node, to, document) {
  const name = node.localName
  if (DROPPED.has(name) || node.namespaceURI !== 'http://www.w3.org/1999/xhtml') return
  if (!KEPT.has(name)) {
    copy(node, to, document)
    return
  }
  const made = document.createElement(lowered(name))
  for (const attribute of ATTRIBUTES[name] ?? []) {
    const value = node.getAttribute(attribute)
    if (value === null) continue
    if (attribute === 'href' && !isSafeLink(value)) continue
    if (attribute === 'src' && !isSafeImage(value)) continue
    made.setAttribute(attribute, value)
  }
  if (name === 'a') {
    made.setAttribute('rel', 'noopener noreferrer nofollow')
    made.setAttribute('target', '_blank')
  }
  if (name === 'img') {
    if (!made.hasAttribute('alt')) made.setAttribute('alt', '')
    made.setAttribute('loading', 'lazy')
    made.setAttribute('referrerpolicy', 'no-referrer')
  }
  copy(node, made, document)
  to.append(made)
}

function lowered(name) {
  const level = /^h([1-6])$/.exec(name)?.[1]
  return level ? `h${Math.min(6, Number(level) + 2)}` : name
}

function parsed(value) {
  try {
    return new URL(value, window.location.origin)
  } catch {
    return null
  }
}

export function isSafeLink(value) {
  return ['http:', 'https:', 'mailto:'].includes(parsed(value)?.protocol)
}

export function isSafeImage(value) {
  const url = parsed(value)
  if (!url) return false
  if (url.protocol === 'data:') return /^data:image\/(png|jpeg|gif|webp|avif)[;,]/i.test(value.trim())
  return url.protocol === 'https:' || url.protocol === 'blob:' || url.origin === window.location.origin
}
