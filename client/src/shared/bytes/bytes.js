/** 1536 → "1.5 KB". */
export function bytesText(count) {
  if (count < 1000) return `${count} B`
  const units = ['KB', 'MB', 'GB']
  let value = count / 1000
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}
