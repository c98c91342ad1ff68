import { describe, expect, it } from 'vitest'
import { signOutUrl } from './config.js'

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
