import { expect, it } from 'vitest'
import { confusionRows } from './confusion.js'

it('lays a confusion matrix out square, with what is missing as nothing', () => {
  const rows = confusionRows({ a: { a: 0.95, b: 0.05 }, b: {} }, ['a', 'b'])
  expect(rows.map((row) => row.cells.map((cell) => cell.percent))).toEqual([[95, 5], [0, 0]])
  expect(rows[0].cells.map((cell) => [cell.wash, cell.right])).toEqual([[4, true], [1, false]])
  expect(confusionRows(null, ['a'])).toEqual([])
})

