import helper from './frame-helper.js?raw'

/** Text that is safe inside HTML, in an attribute too. */
function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** JSON that cannot end the script element it stands in. */
function scriptJson(value) {
  return JSON.stringify(value ?? null).replace(/</g, '\\u003c').replace(/\u2028/g, '\\u2028').replace(/\u2029/g, '\\u2029')
}

/** `${key}` in the requester's HTML becomes the input's value, as text. Unknown keys stay as they are. */
export function withInput(html, input) {
  return html.replace(/\$\{([A-Za-z_][\w.-]*)\}/g, (whole, key) => {
    if (!Object.hasOwn(input ?? {}, key)) return whole
    const value = input[key]
    return escapeHtml(typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? ''))
  })
}

/** The whole page for the sandboxed frame: our helper first, then what the requester wrote. */
export function frameDocument({ html, input, answer, preview, readOnly }) {
  const given = { input: input ?? {}, answer: answer ?? {}, preview: Boolean(preview), readOnly: Boolean(readOnly) }
  const body = withInput(String(html ?? ''), input).replace(/^\s*<!doctype[^>]*>/i, '')
  return (
    '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">' +
    `<script>${helper.trim().replace(/\)$/, '')})(${scriptJson(given)})</script>${body}`
  )
}

/** `{key}` in an external address becomes the input's value. Null when the result is neither https
 * nor http on this machine itself. */
export function frameUrl(url, input) {
  const filled = String(url ?? '').replace(/\{([A-Za-z_][\w.-]*)\}/g, (whole, key) =>
    Object.hasOwn(input ?? {}, key) ? encodeURIComponent(String(input[key])) : whole,
  )
  try {
    const parsed = new URL(filled)
    const isHere = parsed.protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(parsed.hostname)
    return parsed.protocol === 'https:' || isHere ? parsed.href : null
  } catch {
    return null
  }
}
