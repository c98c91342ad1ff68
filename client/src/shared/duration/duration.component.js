import { formatDuration, roughDuration } from './duration.js'

class DurationController {
  $onChanges() {
    this.text = this.rough ? roughDuration(this.seconds) : formatDuration(this.seconds)
  }
}

/** A length of time in seconds: "29 s"; with `rough`, "about 3 hours". */
export const ghDuration = {
  bindings: { seconds: '<', rough: '<' },
  template: '{{ $ctrl.text }}',
  controller: DurationController,
}
