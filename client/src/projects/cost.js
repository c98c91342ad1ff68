// What a project costs. The server's quote is what counts; these answer at once while someone types.

/** Whole cost in minor units of `tasks` tasks. The fee is rounded up per assignment, as the server does. */
export function costOf({ tasks, assignments, reward, feeBps = 0 }) {
  const answers = tasks * assignments
  const fee = Math.ceil((reward * feeBps) / 10000) * answers
  return { answers, rewards: answers * reward, fee, total: answers * reward + fee }
}

/** Minor units an hour for a reward in minor units and minutes of work; null when either is unknown. */
export function wageOf(reward, minutes) {
  return reward > 0 && minutes > 0 ? Math.round((reward * 60) / minutes) : null
}

/** The reward in minor units that makes `wage` an hour at this many minutes, rounded up. */
export function rewardFor(wage, minutes) {
  return Math.ceil((wage * minutes) / 60)
}

const UNITS = [['days', 86400], ['hours', 3600], ['minutes', 60]]

/** Seconds → `{count, unit}` in the largest unit that divides them, so that a form shows "3 days". */
export function toUnits(seconds) {
  for (const [unit, size] of UNITS) {
    if (seconds >= size && seconds % size === 0) return { count: seconds / size, unit }
  }
  return { count: Math.max(1, Math.round((seconds || 0) / 60)), unit: 'minutes' }
}

export const toSeconds = (count, unit) => Math.round(count * Object.fromEntries(UNITS)[unit])
