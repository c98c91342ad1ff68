import template from './chart.component.html?raw'
import { bars, lines, shares } from './layout.js'
import './chart.css'

const SVG = 'http://www.w3.org/2000/svg'
let made = 0

function node(name, attributes = {}, text) {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  if (text !== undefined) element.textContent = text
  return element
}

const plain = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 })

/**
 * One chart as SVG, with a title, a description and the same figures as a table.
 *
 * `kind` is `bars`, `lines` or `share` (parts of one whole). `series` is `[{name, tone, values}]` with one value per
 * label; for `share` each series has one value. Tones are those of the tokens: guild, brass, brick, sky, faint.
 */
class ChartController {
  static $inject = ['$element']

  constructor($element) {
    this.element = $element[0]
    this.id = `gh-chart-${(made += 1)}`
  }

  $postLink() {
    this.plot = this.element.querySelector('.gh-chart-plot')
    if (window.ResizeObserver) {
      this.observer = new ResizeObserver(() => {
        if (this.plot.clientWidth !== this.drawnWidth) this.draw()
      })
      this.observer.observe(this.plot)
    }
    this.draw()
  }

  $onChanges() {
    const series = this.series || []
    const share = this.kind === 'share'
    this.legend = series.map((one) => ({ name: one.name, tone: one.tone, value: share ? this.say(one.values[0]) : undefined }))
    this.table = share
      ? { columns: [this.unit || 'Number'], rows: series.map((one) => ({ label: one.name, values: [this.say(one.values[0])] })) }
      : {
        columns: series.map((one) => one.name),
        rows: (this.labels || []).map((label, index) => ({ label, values: series.map((one) => this.say(one.values[index])) })),
      }
    if (this.plot) this.draw()
  }

  $onDestroy() {
    this.observer?.disconnect()
  }

  say(value) {
    if (value === null || value === undefined) return '–'
    return this.format ? this.format({ value }) ?? plain.format(value) : plain.format(value)
  }

  draw() {
    const width = this.plot.clientWidth || 480
    this.drawnWidth = this.plot.clientWidth
    const share = this.kind === 'share'
    const height = share ? 22 : this.height || 200
    const svg = node('svg', {
      viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-labelledby': `${this.id}-t ${this.id}-d`,
    })
    svg.append(node('title', { id: `${this.id}-t` }, this.heading), node('desc', { id: `${this.id}-d` }, this.describe()))
    if (share) this.drawShare(svg, width, height)
    else this.drawPlane(svg, width, height)
    this.plot.replaceChildren(svg)
  }

  describe() {
    if (this.about) return this.about
    if (this.kind === 'share') return (this.series || []).map((one) => `${one.name}: ${this.say(one.values[0])}`).join(', ')
    return `${(this.labels || []).length} values; the table below has them all.`
  }

  drawShare(svg, width, height) {
    let x = 0
    const series = this.series || []
    svg.append(node('rect', { class: 'gh-chart-ground', width, height, rx: 6 }))
    shares(series.map((one) => one.values[0] || 0), width).forEach((length, index) => {
      if (!length) return
      const part = node('rect', { class: `tone-${series[index].tone}`, x, width: Math.max(1, length - 1), height })
      part.append(node('title', {}, `${series[index].name}: ${this.say(series[index].values[0])}`))
      svg.append(part)
      x += length
    })
  }

  drawPlane(svg, width, height) {
    const plan = (this.kind === 'lines' ? lines : bars)({
      labels: this.labels || [], series: this.series || [], width, height, whole: this.whole !== false,
      format: (value) => this.say(value),
    })
    for (const mark of plan.axis) {
      svg.append(
        node('line', { class: 'gh-chart-grid', x1: plan.left, x2: plan.right, y1: mark.y, y2: mark.y }),
        node('text', { class: 'gh-chart-text', x: plan.left - 6, y: mark.y + 4, 'text-anchor': 'end' }, mark.text),
      )
    }
    for (const bar of plan.bars) {
      const rect = node('rect', { class: `tone-${bar.tone}`, x: bar.x, y: bar.y, width: bar.width, height: bar.height, rx: 1.5 })
      rect.append(node('title', {}, bar.text))
      svg.append(rect)
    }
    for (const line of plan.lines) {
      svg.append(node('path', { class: `gh-chart-line tone-${line.tone}`, d: line.path }))
      for (const point of line.points) {
        const dot = node('circle', { class: `tone-${line.tone}`, cx: point.x, cy: point.y, r: line.points.length > 40 ? 1.5 : 3 })
        dot.append(node('title', {}, point.text))
        svg.append(dot)
      }
    }
    for (const label of plan.under) {
      svg.append(node('text', { class: 'gh-chart-text', x: label.x, y: height - 6, 'text-anchor': label.anchor || 'middle' }, label.text))
    }
  }
}

export const ghChart = {
  template,
  controller: ChartController,
  bindings: {
    kind: '@', heading: '@', about: '<', unit: '@', labelName: '@', labels: '<', series: '<', height: '<', whole: '<', format: '&?',
  },
}
