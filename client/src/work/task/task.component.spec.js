import angular from 'angular'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import '../work.module.js'

const VERSION = {
  id: 'v1',
  title: 'Is there a duck?',
  instructions_html: '<p>Look.</p>',
  auto_accept_after: 259_200,
  interface: {
    kind: 'elements',
    elements: [
      { show: 'text', from: 'text' },
      { ask: 'choice', key: 'label', label: 'Duck?', required: true, options: [{ value: '1', label: 'Yes' }, { value: '0', label: 'No' }] },
      { ask: 'text', key: 'note', label: 'Note' },
    ],
  },
}

function assignment(id, more = {}) {
  const now = Date.now()
  return {
    id,
    project: 'p1',
    task: `t${id}`,
    version: 'v1',
    state: 'claimed',
    reward: { amount: 15, currency: 'USD' },
    input: { text: `text of ${id}` },
    draft: null,
    claimed_at: new Date(now).toISOString(),
    expires_at: new Date(now + 900_000).toISOString(),
    late_until: new Date(now + 1_020_000).toISOString(),
    ...more,
  }
}

describe('gh-task', () => {
  let $httpBackend, $location, $timeout, $interval, scope, host, lastWords

  beforeEach(() => {
    window.sessionStorage.clear()
    window.localStorage.clear()
    angular.mock.module('guildhall.work')
    angular.mock.inject((_$httpBackend_, _$location_, _$timeout_, _$interval_, _lastWords_, session, $q) => {
      session.me = { id: 'u', uses: [] }
      session.settling = $q.resolve()
      $httpBackend = _$httpBackend_
      $location = _$location_
      $timeout = _$timeout_
      $interval = _$interval_
      lastWords = _lastWords_
    })
    $httpBackend.whenGET('/api/v1/versions/v1').respond(VERSION)
    $httpBackend.whenPUT(/\/draft$/).respond({ saved_at: '2026-01-01T00:00:00Z' })
    lastWords.send = vi.fn()
  })

  afterEach(() => {
    $httpBackend.whenPOST(/\/return$/).respond({})
    scope.$destroy()
    host.remove()
  })

  function open(found = assignment('1', { title: 'Is there a duck?', requester: { id: 'r', name: 'Wetlands Lab' } })) {
    $httpBackend.expectGET(`/api/v1/assignments/${found.id}`).respond(found)
    angular.mock.inject(($compile, $rootScope, $routeParams) => {
      $routeParams.id = found.id
      scope = $rootScope.$new()
      host = $compile('<gh-task></gh-task>')(scope)[0]
    })
    document.body.append(host)
    scope.$digest()
    $httpBackend.flush()
  }

  const press = (key, target = document.body) => {
    target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
    scope.$digest()
  }
  const answerWithNext = () => {
    $httpBackend.expectPOST('/api/v1/projects/p1/claim').respond(201, assignment('2'))
    press('1')
    $httpBackend.flush(1)
  }

  it('shows the task, its time and its requester', () => {
    open()
    expect(host.querySelector('h1').textContent).toContain('Is there a duck?')
    expect(host.querySelector('.show-plain').textContent).toBe('text of 1')
    expect(host.querySelector('[role=timer]').textContent).toMatch(/^1[45]:\d\d$/)
    expect(host.textContent).toContain('Wetlands Lab')
  })

  it('claims one ahead when the form is complete, and goes to it without another claim', () => {
    open()
    answerWithNext()
    press('2')
    $httpBackend.verifyNoOutstandingRequest()
    $httpBackend.expectPOST('/api/v1/assignments/1/submit', { answer: { label: '0' }, next: false }).respond({ state: 'submitted', next: null })
    press('Enter')
    $httpBackend.flush(1)
    expect(host.querySelector('.show-plain').textContent).toBe('text of 2')
    expect($location.path()).toBe('/assignments/2')
    expect(host.querySelectorAll('.picked')).toHaveLength(0)
  })

  it('waits for the claim that is on its way instead of making a second', () => {
    open()
    $httpBackend.expectPOST('/api/v1/projects/p1/claim').respond(201, assignment('2'))
    $httpBackend.expectPOST('/api/v1/assignments/1/submit', { answer: { label: '1' }, next: false }).respond({ state: 'submitted', next: null })
    press('1')
    press('Enter')
    $httpBackend.flush()
    expect(host.querySelector('.show-plain').textContent).toBe('text of 2')
  })

  it('takes the next from the answer when none was to be had before', () => {
    open()
    $httpBackend.expectPOST('/api/v1/projects/p1/claim').respond(409, { code: 'hold_limit' })
    press('1')
    $httpBackend.flush(1)
    $httpBackend.expectPOST('/api/v1/assignments/1/submit', { answer: { label: '1' }, next: true }).respond({ state: 'submitted', next: assignment('4') })
    press('Enter')
    $httpBackend.flush(1)
    expect(host.querySelector('.show-plain').textContent).toBe('text of 4')
  })

  it('says so when nothing is left', () => {
    open()
    $httpBackend.expectPOST('/api/v1/projects/p1/claim').respond(409, { code: 'no_task_left' })
    press('1')
    $httpBackend.flush(1)
    $httpBackend.expectPOST('/api/v1/assignments/1/submit', { answer: { label: '1' }, next: true }).respond({ state: 'submitted', next: null })
    press('Enter')
    $httpBackend.flush(1)
    expect(host.textContent).toContain('No task is left for you here')
  })

  it('gives the prefetched one back when leaving', () => {
    open()
    answerWithNext()
    $httpBackend.expectPOST('/api/v1/assignments/2/return').respond({})
    const { $root } = scope
    scope.$destroy()
    $root.$digest()
    $httpBackend.flush()
    $httpBackend.verifyNoOutstandingExpectation()
  })

  it('says its last words when the tab closes: the draft and the prefetched one', () => {
    open()
    answerWithNext()
    window.dispatchEvent(new Event('pagehide'))
    expect(lastWords.send.mock.calls).toEqual([
      ['PUT', '/api/v1/assignments/1/draft', { draft: { label: '1' } }],
      ['POST', '/api/v1/assignments/2/return'],
    ])
  })

  it('does not submit what is incomplete, and says where', () => {
    open()
    press('Enter')
    $httpBackend.verifyNoOutstandingRequest()
    expect(host.querySelector('.ask.wrong').textContent).toContain('Duck?')
  })

  it('puts what the server finds wrong at its question and keeps the answer', () => {
    open()
    answerWithNext()
    $httpBackend
      .expectPOST('/api/v1/assignments/1/submit')
      .respond(400, { code: 'invalid_answer', detail: 'Not complete.', errors: [{ field: 'answer.note', code: 'x', detail: 'Too short.' }] })
    press('Enter')
    $httpBackend.flush(1)
    expect(host.querySelector('.ask.wrong .field-error').textContent).toBe('Too short.')
    expect(host.querySelector('.picked').textContent).toContain('Yes')
  })

  it('skips by key with the next in the same call', () => {
    open()
    $httpBackend.expectPOST('/api/v1/assignments/1/skip').respond({ next: assignment('3') })
    press('s')
    $httpBackend.flush(1)
    expect(host.querySelector('.show-plain').textContent).toBe('text of 3')
  })

  it('does not take letters and Enter away from somebody who types', () => {
    open()
    const note = host.querySelector('input[type=text]')
    press('s', note)
    $httpBackend.verifyNoOutstandingRequest()
    const area = Object.assign(document.createElement('textarea'), {})
    host.append(area)
    press('Enter', area)
    $httpBackend.verifyNoOutstandingRequest()
  })

  it('restores the draft, and saves changes after a pause', () => {
    open(assignment('1', { draft: { label: '0', note: 'half' } }))
    expect(host.querySelector('.picked').textContent).toContain('No')
    const note = host.querySelector('input[type=text]')
    expect(note.value).toBe('half')
    $httpBackend.expectPOST('/api/v1/projects/p1/claim').respond(409, {})
    note.value = 'half a thought'
    note.dispatchEvent(new Event('input', { bubbles: true }))
    scope.$digest()
    $httpBackend.flush(1)
    $httpBackend.expectPUT('/api/v1/assignments/1/draft', { draft: { label: '0', note: 'half a thought' } }).respond({ saved_at: 'x' })
    $timeout.flush(1000)
    $httpBackend.flush(1)
    expect(host.textContent).toMatch(/Draft saved 0 s ago/)
  })

  it('closes hard when the grace is over', () => {
    open()
    angular.mock.inject((clock) => (clock.offset = 1_100_000))
    $interval.flush(1000)
    expect(host.textContent).toContain('The time for this task is over')
    for (const control of host.querySelectorAll('gh-ask input')) expect(control.disabled).toBe(true)
    press('1')
    press('Enter')
    $httpBackend.verifyNoOutstandingRequest()
  })

  it('shows why an answer was sent back, and hands in again without claiming more', () => {
    open(assignment('1', { state: 'sent_back', answer: { label: '1' }, decision: { category: '', comment: 'Look at the reeds.', by_clock: false } }))
    expect(host.textContent).toContain('Look at the reeds.')
    expect(host.textContent).toContain('your earlier answer stands')
    expect(host.textContent).toContain('Returning it gives up your earlier answer')
    press('2')
    $httpBackend.verifyNoOutstandingRequest()
    $httpBackend.expectPOST('/api/v1/assignments/1/submit', { answer: { label: '0' }, next: false }).respond({ state: 'submitted', next: null })
    press('Enter')
    $httpBackend.flush(1)
    expect($location.url()).toBe('/work')
  })

  it('says that the earlier answer stands when the time to change it is over', () => {
    open(assignment('1', { state: 'sent_back', answer: { label: '1' }, decision: { category: '', comment: 'Look at the reeds.', by_clock: false } }))
    angular.mock.inject((clock) => (clock.offset = 1_100_000))
    $interval.flush(1000)
    const over = host.querySelector('[role=alert]').textContent
    expect(over).toContain('Your earlier answer stands')
    expect(over).not.toContain('has gone to somebody else')
  })

  it('shows no decision of an answer that waits for review again', () => {
    open(assignment('1', { state: 'submitted', answer: { label: '1' }, submitted_at: '2026-01-01T00:00:00Z', auto_accept_at: '2026-01-04T00:00:00Z', decided_at: '2026-01-02T00:00:00Z', moves: [] }))
    const labels = [...host.querySelectorAll('gh-fact')].map((fact) => fact.getAttribute('label'))
    expect(labels).toEqual(['reward', 'submitted', 'accepted by itself'])
  })

  it('shows a finished one to read only', () => {
    open(assignment('1', { state: 'accepted', answer: { label: '1' }, decided_at: new Date().toISOString(), decision: { category: '', comment: '', by_clock: true }, moves: [] }))
    expect(host.querySelector('[role=timer]')).toBe(null)
    press('2')
    press('Enter')
    $httpBackend.verifyNoOutstandingRequest()
    for (const control of host.querySelectorAll('gh-ask input')) expect(control.disabled).toBe(true)
  })

  describe('when something happens to it elsewhere', () => {
    const told = (event, subject = '1') => {
      angular.mock.inject((live, $rootScope) => {
        for (const each of live.listeners) {
          if (each.types.includes('assignment')) each.fn({ event, subject, data: {} }, [{ event, subject, data: {} }])
        }
        $rootScope.$digest()
      })
    }

    it('says so, and keeps what was typed to be seen', () => {
      open()
      $httpBackend.expectPOST('/api/v1/projects/p1/claim').respond(409, { code: 'no_task_left' })
      press('1')
      $httpBackend.flush(1)
      $httpBackend.expectGET('/api/v1/assignments/1').respond(assignment('1', { state: 'returned' }))
      told('assignment.returned')
      $httpBackend.flush(1)
      expect(host.querySelector('[role=alert]').textContent).toContain('returned elsewhere')
      expect(host.querySelectorAll('.picked')).toHaveLength(1)
      press('Enter')
      $httpBackend.verifyNoOutstandingRequest()
    })

    it('opens an answer that is sent back while it is looked at', () => {
      open(assignment('1', { state: 'submitted', answer: { label: '1' }, submitted_at: '2026-01-01T00:00:00Z', auto_accept_at: '2026-01-04T00:00:00Z', moves: [] }))
      const decision = { category: '', comment: 'Look at the reeds.', by_clock: false }
      $httpBackend.expectGET('/api/v1/assignments/1').respond(assignment('1', { state: 'sent_back', answer: { label: '1' }, decision }))
      told('assignment.sent_back')
      $httpBackend.flush()
      expect(host.textContent).toContain('Look at the reeds.')
      expect(host.querySelector('[role=timer]')).not.toBe(null)
    })

    it('does not care for what happens to others, nor for what it does itself', () => {
      open()
      told('assignment.returned', '7')
      $httpBackend.verifyNoOutstandingRequest()
      $httpBackend.expectGET('/api/v1/assignments/1').respond(assignment('1'))
      told('assignment.bonus')
      $httpBackend.flush(1)
      expect(host.querySelector('[role=alert]')).toBe(null)
    })

    it('forgets the next one when that has run out', () => {
      open()
      answerWithNext()
      told('assignment.expired', '2')
      $httpBackend.expectPOST('/api/v1/assignments/1/submit', { answer: { label: '1' }, next: true }).respond({ state: 'submitted', next: assignment('3') })
      press('Enter')
      $httpBackend.flush(1)
      expect(host.querySelector('.show-plain').textContent).toBe('text of 3')
    })
  })
})
