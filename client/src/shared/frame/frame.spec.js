import { JSDOM } from 'jsdom'
import { describe, expect, it } from 'vitest'
import { frameDocument, frameUrl, withInput } from './frame.js'

describe('a requester’s own HTML', () => {
  it('gets its input as text, never as markup', () => {
    expect(withInput('<p title="${a}">${b} ${c}</p>', { a: '"><script>', b: '<b>' })).toBe('<p title="&#34;&#62;&#60;script&#62;">&#60;b&#62; ${c}</p>')
    expect(withInput('${constructor}', {})).toBe('${constructor}')
  })

  it('cannot end the script that carries its input', () => {
    const page = frameDocument({ html: '<p>x</p>', input: { a: '</script><img src=x>' }, answer: null })
    expect(page.match(/<\/script>/g)).toHaveLength(1)
    expect(page).toContain('"a":"\\u003c/script>\\u003cimg src=x>"')
  })

  it('is one document with our helper first', () => {
    const page = frameDocument({ html: '<!DOCTYPE html><h1>x</h1>', input: {} })
    expect(page.match(/<!doctype/gi)).toHaveLength(1)
    expect(page.indexOf('guildhall')).toBeLessThan(page.indexOf('<h1>'))
  })

})

describe('an external page', () => {
  it('gets the input in its address, encoded', () => {
    expect(frameUrl('https://x.example/s?id={id}&z={z}', { id: 'a b&c' })).toBe('https://x.example/s?id=a%20b%26c&z={z}')
  })

  it.each(['javascript:alert(1)', 'data:text/html,x', 'http://x.example/', '/relative', ''])('is not opened at %s', (url) => {
    expect(frameUrl(url, {})).toBe(null)
  })
})

describe('the helper inside the frame', () => {
  const FORM =
    '<p data-from="name"></p><form><input name="word" required><input name="count" type="number"><input name="sure" type="checkbox">' +
    '<input name="tag" type="checkbox" value="a"><input name="tag" type="checkbox" value="b"><input name="side" type="radio" value="l">' +
    '<input name="side" type="radio" value="r"><input name="whole" data-type="integer"><button>Send</button></form>'

  function open(given = {}) {
    const heard = []
    const page = frameDocument({ html: FORM, input: { name: '<b>x</b>' }, ...given })
    const { window } = new JSDOM(page, {
      runScripts: 'dangerously',
      beforeParse(inside) {
        inside.ResizeObserver = class {
          observe() {}
        }
        inside.postMessage = (message) => heard.push(message)
      },
    })
    const field = (name, index = 0) => window.document.getElementsByName(name)[index]
    const change = (control, change) => {
      Object.assign(control, change)
      control.dispatchEvent(new window.Event('input', { bubbles: true }))
    }
    return { window, heard, field, change, ready: () => new Promise((resolve) => window.addEventListener('load', resolve)) }
  }

  it('fills in the input as text and posts the fields in their types', async () => {
    const { window, heard, field, change, ready } = open()
    await ready()
    expect(window.document.querySelector('p').textContent).toBe('<b>x</b>')
    change(field('word'), { value: 'w' })
    change(field('count'), { value: '4' })
    change(field('tag', 1), { checked: true })
    change(field('side', 1), { checked: true })
    change(field('whole'), { value: '7' })
    expect(heard.at(-1)).toEqual({
      guildhall: 1,
      type: 'answer',
      answer: { word: 'w', count: 4, sure: false, tag: ['b'], side: 'r', whole: 7 },
    })
  })

  it('restores a draft', async () => {
    const { field, ready } = open({ answer: { word: 'w', count: 2, sure: true, tag: ['a'], side: 'l' } })
    await ready()
    expect([field('word').value, field('count').value, field('sure').checked, field('tag').checked, field('side').checked]).toEqual(['w', '2', true, true, true])
  })

  it('hands in on its button, but not an incomplete form', async () => {
    const { window, heard, field, change, ready } = open()
    await ready()
    window.document.querySelector('button').click()
    expect(heard.filter((message) => message.type === 'submit')).toHaveLength(0)
    change(field('word'), { value: 'w' })
    window.document.querySelector('button').click()
    expect(heard.at(-1)).toMatchObject({ type: 'submit', answer: { word: 'w' } })
  })
})
