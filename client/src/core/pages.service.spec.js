import { describe, expect, it } from 'vitest'
import { filenameOf } from './download.service.js'
import { nextOf } from './pages.service.js'

describe('the Link header', () => {
  it('leads to the next page', () => {
    expect(nextOf('<http://x/api?cursor=a,b>; rel="next"')).toBe('http://x/api?cursor=a,b')
    expect(nextOf('<http://x/1>; rel="prev", <http://x/2>; rel="next"')).toBe('http://x/2')
  })

  it('ends', () => {
    expect(nextOf(null)).toBe(null)
    expect(nextOf('<http://x/1>; rel="prev"')).toBe(null)
  })
})

describe('the name of a download', () => {
  it('is what the server says', () => {
    expect(filenameOf('attachment; filename="a b.csv"')).toBe('a b.csv')
    expect(filenameOf("attachment; filename=x.csv; filename*=UTF-8''%C3%A4.csv")).toBe('ä.csv')
    expect(filenameOf(null)).toBe(null)
  })
})
