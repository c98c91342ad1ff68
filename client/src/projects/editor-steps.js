// The steps of the project editor, and which of them settles which problem.

export const STEPS = [
  { id: 'describe', name: 'Describe', fields: ['title', 'summary', 'instructions', 'keywords'] },
  { id: 'interface', name: 'Interface', fields: ['interface', 'input_schema', 'answer_schema'] },
  { id: 'tasks', name: 'Tasks', fields: ['tasks', 'batches', 'file'] },
  {
    id: 'price',
    name: 'Price and time',
    fields: ['reward', 'assignments_per_task', 'claim_lasts', 'auto_accept_after', 'max_tasks_per_worker', 'expected_minutes'],
  },
  { id: 'publish', name: 'Review and publish', fields: [] },
]

/** The id of the step where a field such as `interface.elements.2.key` or `reward.amount` is set. */
export function stepOf(field) {
  const root = String(field || '').split(/[.[]/)[0]
  return STEPS.find((step) => step.fields.includes(root))?.id || 'publish'
}

/** The steps for the step bar: links, how many problems each has, and whether it is done. */
export function stepsWith({ id, problems, touched }) {
  return STEPS.map((step) => {
    const count = problems ? problems.filter((problem) => stepOf(problem.field) === step.id).length : 0
    return {
      id: step.id,
      name: step.name,
      href: `/projects/${id}/edit?step=${step.id}`,
      problems: touched ? count : 0,
      done: Boolean(problems) && !count && step.id !== 'publish',
    }
  })
}

/** Problems whose field begins with one of `names`, as `{field: detail}`; the first of each field wins. */
export function byField(problems) {
  const found = {}
  for (const problem of problems || []) {
    const root = String(problem.field || '').split(/[.[]/)[0]
    for (const name of new Set([problem.field, root])) found[name] ??= problem.detail
  }
  return found
}

/** The position of the element that a field path names, or null: `interface.elements.2.key` and `interface.elements[2]` → 2. */
export function elementOf(field) {
  const match = /^interface\.elements(?:\.|\[)(\d+)/.exec(String(field || ''))
  return match ? Number(match[1]) : null
}
