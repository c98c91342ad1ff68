import template from './project-tasks.component.html?raw'
import { bytesText } from '../../shared/bytes/bytes.js'
import { columnsOf, mediaTypeOf } from '../batch.service.js'
import { sampleCsv } from '../schemas.js'
import './project-tasks.css'

const START_BYTES = 16_384

/** The step that imports tasks: a file or pasted text, its options, the report, and what came before. */
class ProjectTasksController {
  static $inject = ['batches', 'download', 'pages', 'toast', '$q', '$element', '$scope']

  constructor(batches, download, pages, toast, $q, $element, $scope) {
    Object.assign(this, { batches, download, pages, toast, $q, $element, $scope })
    this.source = 'file'
    this.options = { on_error: 'refuse', delimiter: '', key: '', gold: '' }
    this.pasted = ''
  }

  $onInit() {
    this.loadBatches()
  }

  $postLink() {
    const host = this.$element[0]
    host.addEventListener('change', (event) => {
      if (event.target.matches('input[type=file]')) this.$scope.$applyAsync(() => this.choose(event.target.files[0]))
    })
    host.addEventListener('dragover', (event) => {
      if (!event.target.closest('.drop')) return
      event.preventDefault()
      event.target.closest('.drop').classList.add('is-target')
    })
    host.addEventListener('dragleave', () => host.querySelector('.drop')?.classList.remove('is-target'))
    host.addEventListener('drop', (event) => {
      if (!event.target.closest('.drop')) return
      event.preventDefault()
      event.target.closest('.drop').classList.remove('is-target')
      const file = event.dataTransfer.files[0]
      this.$scope.$applyAsync(() => this.choose(file))
    })
  }

  $onChanges() {
    this.columns = Object.keys(this.version?.input_schema?.properties || {})
    this.isPublished = this.project?.state !== 'draft'
  }

  $onDestroy() {
    this.stop?.resolve()
  }

  loadBatches() {
    this.listFailed = null
    this.pages.first(`/api/v1/projects/${this.project.id}/batches`).then(
      (list) => (this.list = list),
      (problem) => (this.listFailed = problem),
    )
  }

  more() {
    this.busy = true
    this.pages
      .more(this.list)
      .then((list) => (this.list = list), (problem) => this.toast.failed('The rest could not be loaded.', problem))
      .finally(() => (this.busy = false))
  }

  choose(file) {
    if (!file) return
    Object.assign(this, { file, size: bytesText(file.size), problem: null, report: null, start: '' })
    this.$q.when(file.slice(0, START_BYTES).text()).then((start) => {
      if (this.file === file) this.look(start)
    })
  }

  /** What can be told before the import: its sort, and for a CSV its columns, of which "key" is taken as the key. */
  look(start = this.start) {
    this.start = start
    this.type = mediaTypeOf(this.source === 'file' ? this.file?.name : null, start)
    this.found = this.type === 'text/csv' && start ? columnsOf(start, this.options.delimiter) : []
    if (!this.found.includes(this.options.key)) this.options.key = this.found.includes('key') ? 'key' : ''
    this.lacking = this.found.length ? this.columns.filter((column) => !this.found.includes(column)) : []
  }

  sourceChanged() {
    if (this.source === 'paste') this.look(this.pasted.slice(0, START_BYTES))
    else if (this.file) this.choose(this.file)
  }

  get body() {
    return this.source === 'file' ? this.file : this.pasted.trim() && this.pasted
  }

  send() {
    const isFile = this.source === 'file'
    this.sending = { share: 0, name: isFile ? this.file.name : 'pasted text' }
    this.problem = null
    this.report = null
    this.stop = this.$q.defer()
    this.batches
      .send(this.project.id, this.body, {
        type: this.type,
        filename: isFile ? this.file.name : 'pasted',
        options: this.options,
        cancel: this.stop.promise,
        onProgress: (share) => this.$scope.$applyAsync(() => this.sending && (this.sending.share = share)),
      })
      .then(
        (batch) => this.done(batch),
        (problem) => this.refused(problem),
      )
      .finally(() => (this.sending = null))
  }

  done(batch) {
    this.report = batch
    this.file = null
    this.pasted = ''
    this.loadBatches()
    this.onImported()
  }

  refused(problem) {
    if (this.stopped) {
      this.stopped = false
      return
    }
    if (problem.body?.batch) this.report = problem.body.batch
    else this.problem = problem
    this.loadBatches()
  }

  cancel() {
    this.stopped = true
    this.stop.resolve()
  }

  get percent() {
    return Math.round((this.sending?.share || 0) * 100)
  }

  saveSample() {
    this.download.offer(new Blob([sampleCsv(this.version)], { type: 'text/csv' }), 'sample tasks.csv')
  }

  remove() {
    const batch = this.asked
    this.asked = null
    this.batches.remove(batch).then(
      () => {
        this.report = null
        this.toast.say('The import is gone.')
        this.loadBatches()
        this.onImported()
      },
      (problem) => this.toast.failed('The import could not be removed.', problem),
    )
  }

  toggle(batch) {
    this.opened = this.opened === batch.id ? null : batch.id
  }
}

export const ghProjectTasks = {
  template,
  controller: ProjectTasksController,
  bindings: { project: '<', version: '<', onImported: '&' },
}
