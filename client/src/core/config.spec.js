import { afterEach, describe, expect, it } from 'vitest'
import { liveUrl, signOutUrl } from './config.js'

describe('signing out', () => {
  it('needs no way back where the server serves this page', () => {
    expect(signOutUrl('https://guild.example', '')).toBe('/accounts/logout/')
    expect(signOutUrl('https://guild.example', 'https://guild.example')).toBe('https://guild.example/accounts/logout/')
  })

  it('names the way back to an origin of its own', () => {
    const url = new URL(signOutUrl('https://client.example:8443', 'https://guild.example'))
    expect(url.origin + url.pathname).toBe('https://guild.example/accounts/logout/')
    expect(url.searchParams.get('next')).toBe('https://client.example:8443/')
  })
})

describe('live updates', () => {
  const name = (content) => document.head.insertAdjacentHTML('beforeend', `<meta name="guildhall-live" content="${content}">`)

  afterEach(() => document.querySelector('meta[name="guildhall-live"]').remove())

  it('come from where the page does', () => {
    name('')
    expect(liveUrl()).toBe(`${window.location.origin.replace(/^http/, 'ws')}/ws`)
  })

  it('come from the gateway that the page names', () => {
    name('wss://live.example.org')
    expect(liveUrl()).toBe('wss://live.example.org/ws')
  })
})
