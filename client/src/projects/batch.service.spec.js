import angular from 'angular'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { columnsOf, mediaTypeOf } from './batch.service.js'
import './projects.module.js'

it.each([
  ['tasks.csv', '', 'text/csv'], ['TASKS.TSV', '', 'text/csv'], ['a.jsonl', '', 'application/x-ndjson'], ['a.json', '', 'application/json'],
  [null, '\uFEFF [{"input":{}}]', 'application/json'], [null, '{"input":{}}\n', 'application/x-ndjson'], [null, 'a,b\n', 'text/csv'], ['a.dat', '', 'text/csv'],
])('sends %s beginning with %j as %s', (name, start, type) => {
  expect(mediaTypeOf(name, start)).toBe(type)
})

it('reads the columns of a first line', () => {
  expect(columnsOf('\uFEFFkey,image\r\n1,2')).toEqual(['key', 'image'])
  expect(columnsOf('a;"b;c";d\n')).toEqual(['a', 'b;c', 'd'])
  expect(columnsOf('a\tb')).toEqual(['a', 'b'])
  expect(columnsOf('a,b', ';')).toEqual(['a,b'])
})

describe('batches', () => {
  let batches, $httpBackend

  beforeEach(() => {
    angular.mock.module('guildhall.projects')
    angular.mock.inject((_batches_, _$httpBackend_) => {
      batches = _batches_
      $httpBackend = _$httpBackend_
    })
  })
  afterEach(() => $httpBackend.verifyNoOutstandingExpectation(false))

  it('sends the file as it is, with the options that were set and an idempotency key', async () => {
    const done = vi.fn()
    $httpBackend
      .expectPOST('/api/v1/projects/p/tasks?filename=t.csv&key=id&on_error=keep', 'id,x\n1,2\n', (headers) => headers['Content-Type'] === 'text/csv' && Boolean(headers['Idempotency-Key']))
      .respond(201, { added: 1 })
    batches.send('p', 'id,x\n1,2\n', { filename: 't.csv', type: 'text/csv', options: { on_error: 'keep', key: 'id', delimiter: '', gold: '' } }).then(done)
    await vi.waitFor(() => $httpBackend.flush())
    expect(done).toHaveBeenCalledWith({ added: 1 })
  })
})
