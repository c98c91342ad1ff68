import angular from 'angular'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import '../shared.module.js'
import { bars, lines, shares, shownLabels, ticks } from './layout.js'

describe('layout', () => {
  it('ends the axis on a round number above the highest value', () => {
    expect(ticks(853)).toEqual([0, 500, 1000])
    expect(ticks(3)).toEqual([0, 1, 2, 3])
    expect(ticks(0)).toEqual([0, 1])
    expect(ticks(0.3, 4, false)).toEqual([0, 0.1, 0.2, 0.3])
  })

  it('keeps every bar inside, with its height as its value', () => {
    const plan = bars({ labels: ['a', 'b'], series: [{ name: 'x', tone: 'guild', values: [10, 5] }], width: 400, height: 200 })
    expect(plan.bars).toHaveLength(2)
    expect(plan.bars[0].height).toBeCloseTo(plan.bars[1].height * 2)
    for (const bar of plan.bars) expect(bar.x + bar.width).toBeLessThanOrEqual(400)
  })

  it('stand over their labels and stay slender when they are few', () => {
    const plan = bars({ labels: ['a'], series: [{ name: 'x', tone: 'guild', values: [3] }], width: 400, height: 200 })
    expect(plan.bars[0].width).toBeLessThan(60)
    expect(plan.bars[0].x + plan.bars[0].width / 2).toBeCloseTo(plan.under[0].x)
  })

  it('draws a line through equally spaced points and leaves a gap out', () => {
    const plan = lines({ labels: ['a', 'b', 'c'], series: [{ name: 'x', tone: 'sky', values: [1, null, 3] }], width: 300, height: 100 })
    expect(plan.lines[0].points).toHaveLength(2)
    expect(plan.lines[0].path).toMatch(/^M[\d.]+ [\d.]+L[\d.]+ [\d.]+$/)
  })

  it('fills the whole with parts that can all be seen', () => {
    const parts = shares([1, 0, 999_999], 300)
    expect(parts[0]).toBe(3)
    expect(parts[1]).toBe(0)
    expect(parts.reduce((sum, part) => sum + part)).toBeCloseTo(300)
    expect(shares([0, 0], 300)).toEqual([0, 0])
  })

  it('drops labels that would touch', () => {
    expect(shownLabels(['10:00', '10:01', '10:02', '10:03'], 110).filter(Boolean)).toEqual(['10:00', '10:02'])
  })
})

describe('gh-chart', () => {
  let scope, host

  beforeEach(() => angular.mock.module('guildhall.shared'))
  afterEach(() => scope.$destroy())

  function draw(more) {
    angular.mock.inject(($compile, $rootScope) => {
      scope = Object.assign($rootScope.$new(), more)
      host = $compile('<gh-chart kind="{{ kind }}" heading="Answers" labels="labels" series="series"></gh-chart>')(scope)[0]
    })
    scope.$digest()
  }

  it('says the same in SVG and in a table', () => {
    draw({ kind: 'bars', labels: ['10:00', '10:01'], series: [{ name: 'submitted', tone: 'brass', values: [4, 2] }] })
    const svg = host.querySelector('svg')
    expect(svg.getAttribute('role')).toBe('img')
    expect(svg.querySelector('title').textContent).toBe('Answers')
    expect(svg.querySelectorAll('rect.tone-brass')).toHaveLength(2)
    expect([...host.querySelectorAll('tbody td')].map((cell) => cell.textContent)).toEqual(['4', '2'])
  })

  it('draws again when the figures change', () => {
    draw({ kind: 'share', series: [{ name: 'done', tone: 'guild', values: [1] }, { name: 'open', tone: 'faint', values: [0] }] })
    expect(host.querySelectorAll('svg .tone-faint')).toHaveLength(0)
    scope.series = [{ name: 'done', tone: 'guild', values: [1] }, { name: 'open', tone: 'faint', values: [3] }]
    scope.$digest()
    expect(host.querySelectorAll('svg .tone-faint')).toHaveLength(1)
    expect(host.querySelector('desc').textContent).toBe('done: 1, open: 3')
  })
})
