/**
 * Fetches a file with the session's token and hands it to the browser to keep.
 *
 * `onProgress(bytes)` is called as it arrives. Resolves with the file's name and size; rejects with a Problem.
 */
export class DownloadService {
  static $inject = ['$http', '$window']

  constructor($http, $window) {
    Object.assign(this, { $http, $window })
  }

  save(url, { params, filename = 'download', onProgress = () => {} } = {}) {
    return this.$http
      .get(url, { params, responseType: 'blob', eventHandlers: { progress: (progress) => onProgress(progress.loaded) } })
      .then((response) => {
        const name = filenameOf(response.headers('Content-Disposition')) ?? filename
        this.offer(response.data, name)
        return { name, size: response.data.size }
      })
  }

  offer(blob, name) {
    const { document, URL } = this.$window
    const address = URL.createObjectURL(blob)
    const link = Object.assign(document.createElement('a'), { href: address, download: name, target: '_self' })
    document.body.append(link)
    link.click()
    link.remove()
    this.$window.setTimeout(() => URL.revokeObjectURL(address), 60_000)
  }
}

export function filenameOf(header) {
  const extended = /filename\*=UTF-8''([^;]+)/i.exec(header ?? '')
  if (extended) return decodeURIComponent(extended[1])
  return /filename="?([^";]+)"?/i.exec(header ?? '')?.[1] ?? null
}
