/** Published versions of projects. They never change, so each is fetched once. */
export class VersionsService {
  static $inject = ['$http']

  constructor($http) {
    this.$http = $http
    this.known = new Map()
  }

  get(id) {
    if (!this.known.has(id)) {
      const found = this.$http.get(`/api/v1/versions/${id}`).then((response) => response.data)
      this.known.set(id, found)
      found.catch(() => this.known.delete(id))
    }
    return this.known.get(id)
  }
}
