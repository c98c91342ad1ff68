import template from './batch-report.component.html?raw'

/** What one import did: how many lines, and the first hundred that were wrong, each with its number and reason. */
class BatchReportController {
  static $inject = ['batches', '$http', 'toast']

  constructor(batches, $http, toast) {
    Object.assign(this, { batches, $http, toast })
  }

  $onChanges() {
    this.problems = this.batch.problems
    if (this.problems || !this.batch.rejected) return
    this.$http.get(`/api/v1/batches/${this.batch.id}`).then(
      ({ data }) => (this.problems = data.problems || []),
      (problem) => (this.failed = problem),
    )
  }

  saveAll() {
    this.batches.saveProblems(this.batch).catch((problem) => this.toast.failed('The list could not be downloaded.', problem))
  }
}

export const ghBatchReport = { template, controller: BatchReportController, bindings: { batch: '<', bare: '<' } }
