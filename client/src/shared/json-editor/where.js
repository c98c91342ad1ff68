/** One sentence that says at which line a text stops being JSON. Engines word their errors differently. */
export function whereJsonFails(text, error) {
  const message = String(error?.message || '')
  if (!text.trim()) return 'This is empty. Write at least {}.'
  const byPosition = /position (\d+)/.exec(message)
  const byLine = /line (\d+)/.exec(message)
  let line = null
  if (byLine) line = Number(byLine[1])
  else if (byPosition) line = text.slice(0, Number(byPosition[1])).split('\n').length
  else if (/end of|unterminated/i.test(message)) line = text.split('\n').length
  return line ? `This is not JSON: look at line ${line}.` : 'This is not JSON yet.'
}
