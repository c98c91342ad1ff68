import { expect, it } from 'vitest'
import { curlScript, pythonScript } from './starter-script.js'

const given = { origin: 'https://hall.example', id: 'p1', columns: ['image', 'text'] }

it('writes this project into both scripts', () => {
  for (const script of [curlScript(given), pythonScript(given)]) {
    expect(script).toContain('https://hall.example/api/v1')
    expect(script).toContain('p1')
    expect(script).toContain('"image":"…","text":"…"')
    expect(script).not.toContain('undefined')
  }
})
