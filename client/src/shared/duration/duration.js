const UNITS = [
  ['day', 86_400, 'd'],
  ['hour', 3600, 'h'],
  ['minute', 60, 'min'],
  ['second', 1, 's'],
]

/** Seconds as people say them: 29 → "29 s", 638 → "10 min 38 s", 7200 → "2 h". At most two units. */
export function formatDuration(seconds, { long = false } = {}) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return '–'
  let rest = Math.max(0, Math.round(seconds))
  const parts = []
  for (const [name, size, short] of UNITS) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count || (parts.length === 0 && size === 1)) {
      parts.push(long ? `${count} ${name}${count === 1 ? '' : 's'}` : `${count} ${short}`)
    }
    if (parts.length === 2) break
  }
  return parts.join(' ')
}

/** A duration where only its size matters: 10 900 → "about 3 hours". */
export function roughDuration(seconds) {
  if (seconds === null || seconds === undefined) return '–'
  const [name, size] = UNITS.find(([, size]) => seconds >= size * 0.95) ?? UNITS.at(-1)
  const count = Math.max(1, Math.round(seconds / size))
  return `about ${count} ${name}${count === 1 ? '' : 's'}`
}

/** A countdown: 702 → "11:42", 4002 → "1:06:42", nothing left → "0:00". */
export function formatCountdown(seconds) {
  const left = Math.max(0, Math.ceil(seconds))
  const [hours, minutes, rest] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60]
  const two = (number) => String(number).padStart(2, '0')
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
