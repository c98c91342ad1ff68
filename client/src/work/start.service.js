/** Begins work on a project: goes on with a task the worker holds already, or claims the next one. */
export class StartService {
  static $inject = ['Assignment', '$location', 'clock', 'live']

  constructor(Assignment, $location, clock, live) {
    Object.assign(this, { Assignment, $location, clock, live })
  }

  begin(project) {
    return this.held(project).then((held) => held ?? this.claim(project)).then((assignment) => {
      this.$location.url(`/assignments/${assignment.id}`)
      return assignment
    })
  }

  held(project) {
    return this.Assignment.query({ project, state: 'claimed', limit: 10 }).$promise.then(
      (rows) => rows.filter((row) => this.clock.secondsTo(row.expires_at) > 0).at(-1) ?? null,
    )
  }

  claim(project) {
    return this.Assignment.claim({ project }, {}).$promise.then((assignment) => {
      this.live.changed('assignment')
      return assignment
    })
  }
}
