// Deciding about many answers: in parts, since one call takes at most 200 and does all or none of them.

const PART = 50

/** What became of them: how many were decided, and for the others how many and why. */
class Outcome {
  constructor() {
    this.done = 0
    this.refused = []
  }

  refuse(count, why) {
    if (!count) return
    const known = this.refused.find((one) => one.why === why)
    if (known) known.count += count
    else this.refused.push({ count, why })
  }

  get left() {
    return this.refused.reduce((sum, one) => sum + one.count, 0)
  }
}

export const WHY = {
  decided: 'decided meanwhile, by somebody else or by the clock',
  sent_back_too_often: 'sent back three times already; accept or reject those',
  stopped: 'not tried, because you stopped',
}

/**
 * Call `decide(ids)` → promise of `{changed, skipped}` for one part after the other and resolve with the outcome.
 *
 * Answers that the server names as not to be decided are left out and the rest of their part is tried again. Any other
 * refusal ends it: what follows would be refused alike. Rejects only when the body itself is wrong (a Problem with
 * `fields`), of which nothing has happened then. `onProgress(n)` tells how many are behind; `stopped()` ends it
 * between two parts.
 */
export function decideMany({ $q, ids, decide, onProgress = () => {}, stopped = () => false }) {
  const outcome = new Outcome()
  let rest = [...ids]

  function goOn() {
    onProgress(ids.length - rest.length)
    if (rest.length && stopped()) {
      outcome.refuse(rest.length, WHY.stopped)
      rest = []
    }
    if (!rest.length) return outcome
    const part = rest.slice(0, PART)
    return decide(part).then(
      ({ changed, skipped }) => {
        outcome.done += changed
        outcome.refuse(skipped.length, WHY.decided)
        rest = rest.slice(part.length)
        return goOn()
      },
      (problem) => {
        const named = (problem.code === 'sent_back_too_often' && problem.body?.assignments) || []
        const spent = part.filter((id) => named.includes(id))
        if (spent.length) {
          outcome.refuse(spent.length, WHY.sent_back_too_often)
          rest = rest.filter((id) => !spent.includes(id))
          return goOn()
        }
        if (!outcome.done && Object.keys(problem.fields || {}).length) return $q.reject(problem)
        outcome.refuse(rest.length, problem.detail)
        return outcome
      },
    )
  }

  return $q.when().then(goOn)
}
