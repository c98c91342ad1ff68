// Keys of the review page. One letter per act, and no key ever acts while someone types.

const ACTS = {
  a: 'accept', b: 'sendBack', r: 'reject', j: 'next', k: 'previous', arrowdown: 'next', arrowup: 'previous', escape: 'close',
}

/** What a key press means here: an act's name, or null. Typing, modifier keys and key repeat of acts mean nothing. */
export function actOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return null
  const act = ACTS[String(event.key || '').toLowerCase()] || null
  if (!act) return null
  const at = event.target
  const typing = at && (at.isContentEditable || /^(input|textarea|select)$/i.test(at.tagName || ''))
  if (typing && act !== 'close') return null
  if (typing && act === 'close' && /^select$/i.test(at.tagName)) return null
  if (event.repeat && !['next', 'previous'].includes(act)) return null
  return act
}

/** The row to open after moving `step` places from the open one; stays at the ends, starts at the first. */
export function neighbour(rows, openId, step) {
  if (!rows.length) return null
  const at = rows.findIndex((row) => row.id === openId)
  if (at < 0) return rows[0]
  return rows[Math.min(rows.length - 1, Math.max(0, at + step))]
}

/** The next row after the open one that still waits for a decision, else one before it, else null. */
export function nextWaiting(rows, openId) {
  const at = rows.findIndex((row) => row.id === openId)
  const waits = (row) => row.state === 'submitted' && row.id !== openId
  return rows.slice(at + 1).find(waits) || rows.slice(0, Math.max(0, at)).find(waits) || null
}
