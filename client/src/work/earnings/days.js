/** The last `count` days up to `today` ("2026-03-05"), oldest first; days that `rows` does not name earned nothing. */
export function daysUpTo(today, rows, count = 30) {
  const known = new Map(rows.map((row) => [row.on, row]))
  const end = Date.parse(`${today}T00:00:00Z`)
  return Array.from({ length: count }, (_, index) => {
    const on = new Date(end - (count - 1 - index) * 86_400_000).toISOString().slice(0, 10)
    const row = known.get(on)
    return { on, amount: row?.earned.amount ?? 0, accepted: row?.accepted ?? 0, seconds: row?.seconds ?? 0 }
  })
}

/** Today's date in a time zone, as "2026-03-05". */
export function todayIn(timeZone, now) {
  const format = (zone) => new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(now)
  try {
    return format(timeZone)
  } catch {
    return format('UTC')
  }
}
