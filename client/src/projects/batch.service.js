const TYPES = { csv: 'text/csv', tsv: 'text/csv', txt: 'text/csv', jsonl: 'application/x-ndjson', ndjson: 'application/x-ndjson', json: 'application/json' }

/** The media type to send a file as, by its name and, where that does not tell, by its first character. */
export function mediaTypeOf(filename, start = '') {
  const byName = TYPES[/\.([a-z]+)$/i.exec(filename ?? '')?.[1]?.toLowerCase()]
  if (byName) return byName
  const first = start.replace(/^\uFEFF/, '').trimStart()[0]
  if (first === '[') return TYPES.json
  return first === '{' ? TYPES.jsonl : TYPES.csv
}

/** The column names in the first line of a CSV, for choosing among them. The server reads the file itself. */
export function columnsOf(start, delimiter = '') {
  const line = start.replace(/^\uFEFF/, '').split(/\r?\n/, 1)[0]
  const outside = line.replace(/"[^"]*"/g, '')
  const mark = delimiter || [',', ';', '\t', '|'].toSorted((a, b) => outside.split(b).length - outside.split(a).length)[0]
  const cells = []
  let cell = ''
  let quoted = false
  for (const character of line) {
    if (character === '"') quoted = !quoted
    else if (character === mark && !quoted) {
      cells.push(cell)
      cell = ''
    } else cell += character
  }
  return [...cells, cell].map((name) => name.trim()).filter(Boolean)
}

/** Imports of tasks: sends a file as it is, reporting how much of it has gone up. */
export class BatchService {
  static $inject = ['$http', 'download']

  constructor($http, download) {
    Object.assign(this, { $http, download })
  }

  /**
   * Import `body` (a File, Blob or text). `options` are on_error, delimiter, key, gold, bare.
   * `onProgress(share)` gets 0 … 1; at 1 the server is still checking lines. Rejects with a Problem, whose
   * `body.batch` is the report when lines were refused.
   */
  send(projectId, body, { filename, type, options = {}, onProgress = () => {}, cancel } = {}) {
    const params = Object.fromEntries(Object.entries({ ...options, filename }).filter(([, value]) => value))
    return this.$http({
      method: 'POST',
      url: `/api/v1/projects/${projectId}/tasks`,
      params,
      data: body,
      headers: { 'Content-Type': type },
      transformRequest: (data) => data,
      timeout: cancel,
      uploadEventHandlers: { progress: (progress) => progress.lengthComputable && onProgress(progress.loaded / progress.total) },
    }).then((response) => response.data)
  }

  /** Take an import and its tasks back; only of a project that was never published. */
  remove(batch) {
    return this.$http.delete(`/api/v1/batches/${batch.id}`)
  }

  /** Every problem of a batch as a CSV file, also those past the first hundred. */
  saveProblems(batch) {
    return this.download.save(`/api/v1/batches/${batch.id}/problems`, {
      params: { format: 'csv' },
      filename: `problems of ${batch.filename || batch.id}.csv`,
    })
  }
}
