// The figures of a project's progress, as charts want them.

const SIZES = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }
const MOST = 300

/**
 * Spans in which something was submitted, with the empty ones between them put in, so that time runs evenly.
 * When there would be more than 300, neighbours are added up. `[{at, submitted, accepted}]`, oldest first.
 */
export function evenly(points, span) {
  if (!points.length) return []
  let size = SIZES[span]
  const first = Date.parse(points[0].at)
  const last = Date.parse(points.at(-1).at)
  const count = Math.floor((last - first) / size) + 1
  size *= Math.max(1, Math.ceil(count / MOST))
  const filled = Array.from({ length: Math.floor((last - first) / size) + 1 }, (_, index) => ({
    at: new Date(first + index * size).toISOString(), submitted: 0, accepted: 0,
  }))
  for (const point of points) {
    const slot = filled[Math.floor((Date.parse(point.at) - first) / size)]
    slot.submitted += point.submitted
    slot.accepted += point.accepted
  }
  return filled
}

/** A short label for an instant on an axis. */
export function instantLabel(at, span, timeZone) {
  const options = span === 'day' ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit' }
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
