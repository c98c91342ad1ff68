// The figures of a project's progress, as charts want them.

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28, 91, 364].map((count) => count * DAY),
]
const SIZES = { minute: MINUTE, hour: HOUR, day: DAY }
const MOST = 48

/**
 * Spans in which something was submitted, with the empty ones between them put in, so that time runs evenly, and added
 * up to the smallest round step with which at most 48 are left. `[{at, submitted, accepted}]`, oldest first.
 */
export function evenly(points, span) {
  if (!points.length) return []
  const first = Date.parse(points[0].at)
  const last = Date.parse(points.at(-1).at)
  const size = STEPS.find((step) => step >= SIZES[span] && (last - first) / step < MOST) ?? STEPS.at(-1)
  const start = Math.floor(first / size) * size
  const filled = Array.from({ length: Math.floor((last - start) / size) + 1 }, (_, index) => ({
    at: new Date(start + index * size).toISOString(), submitted: 0, accepted: 0,
  }))
  for (const point of points) {
    const slot = filled[Math.floor((Date.parse(point.at) - start) / size)]
    slot.submitted += point.submitted
    slot.accepted += point.accepted
  }
  return filled
}

/** A short label for an instant on an axis whose points reach over `reach` milliseconds. */
export function instantLabel(at, reach, timeZone) {
  const time = { hour: '2-digit', minute: '2-digit' }
  const options = reach <= DAY ? time : reach <= 7 * DAY ? { weekday: 'short', ...time } : { month: 'short', day: 'numeric' }
  return new Intl.DateTimeFormat(navigator.language, { ...options, timeZone }).format(new Date(at))
}

function shortSeconds(seconds) {
  if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`
  if (seconds < 3600) return `${Number((seconds / 60).toPrecision(2))} min`
  return `${Number((seconds / 3600).toPrecision(2))} h`
}

/** "5 s to 10 s", "over 1 h" for one bucket of a histogram `{from, to, count}`; `to` null is open. */
export function bucketLabel({ from, to }) {
  if (to === null || to === undefined) return `over ${shortSeconds(from)}`
  return from ? `${shortSeconds(from)}–${shortSeconds(to)}` : `under ${shortSeconds(to)}`
}

/** The buckets from the first to the last that is not empty. */
export function trimmed(histogram) {
  const filled = histogram.map((bucket) => bucket.count > 0)
  const from = filled.indexOf(true)
  return from < 0 ? [] : histogram.slice(from, filled.lastIndexOf(true) + 1)
}
