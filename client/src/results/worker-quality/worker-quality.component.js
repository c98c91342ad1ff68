import template from './worker-quality.component.html?raw'
import { confusionRows } from '../confusion.js'
import './worker-quality.css'

const ORDERS = {
  answers: (a, b) => b.answers - a.answers,
  agreement: (a, b) => b.agreement - a.agreement,
  accuracy: (a, b) => (b.accuracy ?? -1) - (a.accuracy ?? -1),
}

/** Workers by how good their answers are; one opens to its confusion matrix. `say(label)` puts a label into words. */
class WorkerQualityController {
  constructor() {
    this.order = 'answers'
  }

  $onChanges() {
    this.hasAccuracy = this.workers.some((worker) => worker.accuracy !== null)
    this.hasGold = this.workers.some((worker) => worker.gold)
    this.sort()
  }

  sort() {
    this.sorted = [...this.workers].sort(ORDERS[this.order])
  }

  by(order) {
    this.order = order
    this.sort()
  }

  toggle(worker) {
    this.open = this.open === worker.worker ? null : worker.worker
    this.matrix = this.open ? confusionRows(worker.confusion, this.classes) : []
  }
}

export const ghWorkerQuality = {
  template,
  controller: WorkerQualityController,
  bindings: { workers: '<', classes: '<', projectId: '<', say: '&' },
}
