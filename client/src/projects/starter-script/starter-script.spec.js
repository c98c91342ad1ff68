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

it('names the scopes that its calls need', () => {
  expect(curlScript(given)).toContain('projects:read, projects:write\n')
  expect(pythonScript(given)).toContain('projects:write, reviews:read, reviews:write')
})

it('keeps a column with quotes one word of the shell', () => {
  expect(curlScript({ ...given, columns: [`bird's "name"`] })).toContain(String.raw`printf '%s\n' '{"key":"task-1","input":{"bird'\''s \"name\"":"…"}}' |`)
})
