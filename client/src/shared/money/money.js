const digits = new Map()

/** How many digits of a currency are minor units: 2 for USD, 0 for JPY. */
export function minorDigits(currency) {
  if (!digits.has(currency)) {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency })
    digits.set(currency, format.resolvedOptions().maximumFractionDigits)
  }
  return digits.get(currency)
}

/** `{amount: 15, currency: 'USD'}` → "$0.15". */
export function formatMoney(money, { locale = navigator.language, sign = false } = {}) {
  if (!money) return '–'
  const places = minorDigits(money.currency)
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: money.currency,
    currencyDisplay: 'narrowSymbol',
    signDisplay: sign ? 'exceptZero' : 'auto',
  }).format(money.amount / 10 ** places)
}

/** What a person typed, "0.15" or "0,15", → minor units, or null when it is not an amount of that currency. */
export function parseMoney(text, currency) {
  const places = minorDigits(currency)
  const match = /^\s*(\d+)(?:[.,](\d*))?\s*$/.exec(String(text ?? ''))
  if (!match || (match[2] ?? '').length > places) return null
  return Number(match[1]) * 10 ** places + Number((match[2] ?? '').padEnd(places, '0') || 0)
}

/** Minor units → "0.15", as it stands in an input. */
export function moneyText(money) {
  return (money.amount / 10 ** minorDigits(money.currency)).toFixed(minorDigits(money.currency))
}
