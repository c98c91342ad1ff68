import { formatMoney } from '../../shared/money/money.js'
import './day-chart.css'
import { niceCeiling } from './day-chart.js'
import template from './day-chart.component.html?raw'

const WIDTH = 720
const HEIGHT = 200
const LEFT = 56
const BOTTOM = 24
const TOP = 10

class DayChartController {
  $onChanges() {
    const days = this.days ?? []
    const top = niceCeiling(Math.max(...days.map((day) => day.amount), 0))
    const step = (WIDTH - LEFT) / Math.max(1, days.length)
    const y = (amount) => TOP + (HEIGHT - BOTTOM - TOP) * (1 - amount / top)
    const words = (amount) => formatMoney({ amount, currency: this.currency })
    const date = new Intl.DateTimeFormat(navigator.language, { day: 'numeric', month: 'short', timeZone: 'UTC' })
    this.box = `0 0 ${WIDTH} ${HEIGHT}`
    this.base = y(0)
    this.bars = days.map((day, index) => ({
      x: LEFT + index * step + step * 0.15,
      width: step * 0.7,
      y: y(day.amount),
      height: y(0) - y(day.amount),
      middle: LEFT + (index + 0.5) * step,
      label: (days.length - 1 - index) % 7 === 0 ? date.format(new Date(day.on)) : '',
      title: `${date.format(new Date(day.on))}: ${words(day.amount)}, ${day.accepted} accepted`,
    }))
    this.lines = [0, top / 2, top].map((amount) => ({ y: y(amount), words: words(amount) }))
    const sum = days.reduce((total, day) => total + day.amount, 0)
    const best = days.reduce((most, day) => (day.amount > (most?.amount ?? 0) ? day : most), null)
    this.summary = `Earned in ${days.length} days: ${words(sum)}.` + (best ? ` Most on ${date.format(new Date(best.on))}: ${words(best.amount)}.` : '')
    this.rows = days.filter((day) => day.amount > 0).reverse().map((day) => ({ on: date.format(new Date(day.on)), earned: words(day.amount), accepted: day.accepted }))
  }
}

/** Earnings by day as bars, with the same as a table. `days` is what `daysUpTo` gives. */
export const ghDayChart = { bindings: { days: '<', currency: '<' }, template, controller: DayChartController }
