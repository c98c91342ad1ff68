/** A worker's confusion matrix `{true: {given: p}}` as rows for a table, with a wash from 0 (none) to 4 (nearly all). */
export function confusionRows(confusion, classes) {
  if (!confusion) return []
  return classes.map((truth) => ({
    truth,
    cells: classes.map((given) => {
      const share = confusion[truth]?.[given] ?? 0
      return { given, share, percent: Math.round(share * 100), wash: Math.min(4, Math.ceil(share * 4)), right: truth === given }
    }),
  }))
}
