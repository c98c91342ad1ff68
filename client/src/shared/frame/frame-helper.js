// Runs inside the sandboxed frame, before the requester's own HTML. Talks to the page around it by messages.
;(function (given) {
  'use strict'
  const input = given.input
  const send = function (type, more) {
    parent.postMessage(Object.assign({ guildhall: 1, type: type }, more), '*')
  }
  const coerce = function (field, text) {
    const type = field.dataset.type || (field.type === 'number' || field.type === 'range' ? 'number' : 'string')
    if (type === 'number' || type === 'integer') return text === '' ? undefined : Number(text)
    if (type === 'boolean') return text === 'true' || text === 'on' || text === '1'
    if (type === 'json') return text === '' ? undefined : JSON.parse(text)
    return text === '' ? undefined : text
  }
  const fields = function () {
    return Array.prototype.filter.call(document.querySelectorAll('input[name], select[name], textarea[name]'), function (field) {
      return !field.disabled && ['submit', 'button', 'reset', 'image', 'file', 'password'].indexOf(field.type) < 0
    })
  }
  const read = function () {
    const answer = {}
    const all = fields()
    all.forEach(function (field) {
      const twins = all.filter(function (other) { return other.name === field.name && other.type === 'checkbox' })
      let value
      if (field.type === 'radio') value = field.checked ? coerce(field, field.value) : undefined
      else if (field.type === 'checkbox' && twins.length === 1 && !field.hasAttribute('value')) value = field.checked
      else if (field.type === 'checkbox') {
        if (twins[0] === field) answer[field.name] = []
        if (field.checked) answer[field.name] = (answer[field.name] || []).concat([coerce(field, field.value)])
        return
      } else if (field.type === 'select-multiple') {
        value = Array.prototype.map.call(field.selectedOptions, function (option) { return option.value })
      } else value = coerce(field, field.value)
      if (value !== undefined) answer[field.name] = value
    })
    return answer
  }
  const restore = function (answer) {
    fields().forEach(function (field) {
      if (!(field.name in answer)) return
      const value = answer[field.name]
      if (field.type === 'radio') field.checked = String(value) === field.value
      else if (field.type === 'checkbox') {
        field.checked = Array.isArray(value) ? value.map(String).indexOf(field.value) >= 0 : Boolean(value)
      } else if (field.type === 'select-multiple') {
        Array.prototype.forEach.call(field.options, function (option) {
          option.selected = value.map(String).indexOf(option.value) >= 0
        })
      } else field.value = typeof value === 'object' ? JSON.stringify(value) : String(value)
    })
  }
  const fill = function () {
    Array.prototype.forEach.call(document.querySelectorAll('[data-from]'), function (element) {
      const value = input[element.dataset.from]
      if (value === undefined || value === null) return
      const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
      if (/^(IMG|AUDIO|VIDEO|SOURCE|IFRAME)$/.test(element.tagName)) element.src = text
      else if (element.tagName === 'A') element.href = text
      else element.textContent = text
    })
  }
  const submit = function (form) {
    if (!form || form.reportValidity()) send('submit', { answer: read() })
  }
  window.guildhall = Object.freeze({
    input: input,
    draft: given.answer,
    preview: given.preview,
    answer: function (answer) { send('answer', { answer: answer }) },
    submit: function (answer) { send('submit', { answer: answer || read() }) },
  })
  if (given.readOnly) document.documentElement.setAttribute('data-read-only', '')
  addEventListener('DOMContentLoaded', function () {
    fill()
    restore(given.answer)
    if (given.readOnly) fields().forEach(function (field) { field.disabled = true })
    new ResizeObserver(function () { send('height', { height: document.documentElement.offsetHeight }) }).observe(document.documentElement)
  })
  const tell = function (happening) {
    if (happening.target && happening.target.name) send('answer', { answer: read() })
  }
  addEventListener('input', tell)
  addEventListener('change', tell)
  // A sandbox without forms never fires "submit", so its two causes are handled here.
  addEventListener('click', function (happening) {
    const button = happening.target.closest && happening.target.closest('button, input[type=submit], input[type=image]')
    if (!button || !button.form || (button.tagName === 'BUTTON' && button.type !== 'submit')) return
    happening.preventDefault()
    submit(button.form)
  })
  addEventListener('keydown', function (happening) {
    const field = happening.target
    if (happening.key !== 'Enter' || happening.isComposing || field.tagName !== 'INPUT' || !field.form) return
    happening.preventDefault()
    submit(field.form)
  })
})
