import { describe, expect, it } from 'vitest'
import { safeFragment } from './safe-html.js'

function safe(html) {
  const host = document.createElement('div')
  host.append(safeFragment(html))
  return host.innerHTML
}

describe('safe HTML', () => {
  it('keeps what instructions are made of', () => {
    expect(safe('<p>Look <strong>twice</strong></p><ol start="3"><li>a</li></ol>')).toBe('<p>Look <strong>twice</strong></p><ol start="3"><li>a</li></ol>')
  })

  it('moves headings below the page’s own', () => {
    expect(safe('<h1>a</h1><h6>b</h6>')).toBe('<h3>a</h3><h6>b</h6>')
  })

  it.each([
    ['<script>alert(1)</script>x', 'x'],
    ['<p onclick="alert(1)" style="color:red" class="btn" id="main">x</p>', '<p>x</p>'],
    ['<a href="javascript:alert(1)">x</a>', '<a rel="noopener noreferrer nofollow" target="_blank">x</a>'],
    ['<a href=" java\nscript:alert(1)">x</a>', '<a rel="noopener noreferrer nofollow" target="_blank">x</a>'],
    ['<img src="x" onerror="alert(1)">', '<img src="x" alt="" loading="lazy" referrerpolicy="no-referrer">'],
    ['<img src="data:image/svg+xml,<svg onload=alert(1)>">', '<img alt="" loading="lazy" referrerpolicy="no-referrer">'],
    ['<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>y', 'y'],
    ['<math><mtext><img src=x onerror=alert(1)></mtext></math>y', 'y'],
    ['<iframe srcdoc="<script>alert(1)</script>"></iframe><form action="/x"><input></form>y', 'y'],
    ['<template><img src=x onerror=alert(1)></template>y', 'y'],
    ['<unknown><b>x</b></unknown>', '<b>x</b>'],
    ['<style>*{display:none}</style><base href="https://evil.example/">y', 'y'],
    ['{{ constructor.constructor("alert(1)")() }}', '{{ constructor.constructor("alert(1)")() }}'],
  ])('makes %s harmless', (html, wanted) => {
    expect(safe(html)).toBe(wanted)
  })

  it('survives nothing', () => {
    expect(safe(undefined)).toBe('')
  })
})
