import { describe, expect, it } from 'vitest'
import { formatMoney, moneyText, parseMoney } from './money.js'

describe('money', () => {
  it('is minor units', () => {
    expect(formatMoney({ amount: 15, currency: 'USD' }, { locale: 'en-US' })).toBe('$0.15')
    expect(formatMoney({ amount: 1500, currency: 'JPY' }, { locale: 'en-US' })).toBe('¥1,500')
    expect(formatMoney({ amount: -20, currency: 'USD' }, { locale: 'en-US', sign: true })).toBe('-$0.20')
    expect(formatMoney(null)).toBe('–')
  })

  it('is read without rounding', () => {
    expect(parseMoney('0.15', 'USD')).toBe(15)
    expect(parseMoney('1,2', 'USD')).toBe(120)
    expect(parseMoney('4.35', 'USD')).toBe(435)
    expect(parseMoney('70', 'JPY')).toBe(70)
    for (const wrong of ['', '-1', '0.155', '1.2.3', 'x', '1e3']) expect(parseMoney(wrong, 'USD')).toBe(null)
    expect(parseMoney(moneyText({ amount: 1999, currency: 'USD' }), 'USD')).toBe(1999)
  })
})
