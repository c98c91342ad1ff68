// Where things stand in a chart: pure arithmetic, in CSS pixels. Drawing is the component's.

/** Round steps for an axis from 0 to at least `max`: about `wanted` of them, each 1, 2 or 5 times a power of ten. */
export function ticks(max, wanted = 4, whole = true) {
  if (!(max > 0)) return [0, 1]
  const raw = max / wanted
  const power = 10 ** Math.floor(Math.log10(raw))
  let step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= raw)
  if (whole) step = Math.max(1, Math.round(step))
  const count = Math.ceil(max / step - 1e-9)
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)))
}

/** Which labels under the axis fit without touching: every n-th, always the first. */
export function shownLabels(labels, width, gap = 16, perCharacter = 7) {
  if (!labels.length) return []
  const widest = Math.max(...labels.map((label) => String(label).length)) * perCharacter + gap
  const every = Math.max(1, Math.ceil((labels.length * widest) / Math.max(width, 1)))
  return labels.map((label, index) => (index % every === 0 ? label : ''))
}

/** The middle of a label, moved so that the label does not stick out of a chart this wide. */
function within(middle, text, width, perCharacter = 7) {
  const half = (String(text).length * perCharacter) / 2
  return Math.max(half, Math.min(middle, width - half))
}

const WIDEST_BAR = 56
const PAD = { top: 8, right: 8, bottom: 24 }

function frame({ width, height, series, whole, format }) {
  const highest = Math.max(0, ...series.flatMap((one) => one.values).filter((value) => value !== null))
  const marks = ticks(highest, height < 160 ? 3 : 4, whole)
  const top = marks[marks.length - 1]
  const left = Math.max(...marks.map((mark) => format(mark).length)) * 7 + 10
  const inner = { width: Math.max(1, width - left - PAD.right), height: height - PAD.top - PAD.bottom }
  const y = (value) => PAD.top + inner.height * (1 - value / top)
  return {
    left, inner, y, floor: PAD.top + inner.height,
    axis: marks.map((mark) => ({ y: y(mark), text: format(mark) })),
  }
}

/** Bars side by side per label. */
export function bars({ labels, series, width, height, whole = true, format = String }) {
  const { left, inner, y, floor, axis } = frame({ width, height, series, whole, format })
  const slot = inner.width / Math.max(1, labels.length)
  const gap = Math.min(8, slot * 0.2)
  const thick = Math.max(1, Math.min(WIDEST_BAR, (slot - gap) / series.length))
  // A few bars stand in the middle of their slots, over their labels.
  const aside = (slot - thick * series.length) / 2
  const marks = []
  series.forEach((one, row) => one.values.forEach((value, index) => {
    if (!value) return
    marks.push({
      tone: one.tone, x: left + index * slot + aside + row * thick, y: y(value),
      width: Math.max(1, thick - (series.length > 1 ? 1 : 0)), height: Math.max(1, floor - y(value)),
      text: `${labels[index]}: ${format(value)} ${one.name}`,
    })
  }))
  const under = shownLabels(labels, inner.width)
    .map((text, index) => ({ text, x: within(left + (index + 0.5) * slot, text, width) }))
  return { axis, left, right: left + inner.width, floor, bars: marks, lines: [], under: under.filter((label) => label.text) }
}

/** Lines through equally spaced labels; `null` breaks a line. */
export function lines({ labels, series, width, height, whole = true, format = String }) {
  const { left, inner, y, floor, axis } = frame({ width, height, series, whole, format })
  const step = labels.length > 1 ? inner.width / (labels.length - 1) : 0
  const x = (index) => (labels.length > 1 ? left + index * step : left + inner.width / 2)
  const drawn = series.map((one) => {
    const points = one.values
      .map((value, index) => ({ value, x: x(index), y: y(value ?? 0), text: `${labels[index]}: ${format(value ?? 0)} ${one.name}` }))
      .filter((point) => point.value !== null)
    return { tone: one.tone, path: points.map((p, i) => `${i ? 'L' : 'M'}${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join(''), points }
  })
  const under = shownLabels(labels, inner.width).map((text, index) => ({
    text, x: x(index), anchor: labels.length === 1 ? 'middle' : index === 0 ? 'start' : index === labels.length - 1 ? 'end' : 'middle',
  }))
  return { axis, left, right: left + inner.width, floor, bars: [], lines: drawn, under: under.filter((label) => label.text) }
}

/** Parts of one whole as lengths that sum to `width`; parts that are not zero keep at least 3 px. */
export function shares(values, width) {
  const sum = values.reduce((total, value) => total + value, 0)
  if (!sum) return values.map(() => 0)
  const least = 3
  const small = values.filter((value) => value > 0 && (value / sum) * width < least)
  const rest = width - small.length * least
  const big = sum - small.reduce((total, value) => total + value, 0)
  return values.map((value) => (!value ? 0 : small.includes(value) ? least : (value / big) * rest))
}
