import { expect, it } from 'vitest'
import { bytesText } from './bytes.js'

it('words an amount of bytes', () => {
  expect([12, 1536, 25_000_000, 3_200_000_000].map(bytesText)).toEqual(['12 B', '1.5 KB', '25 MB', '3.2 GB'])
})
