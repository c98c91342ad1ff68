/** Whom the user talks to in a thread. */
export function otherSide(thread) {
  if (thread.kind === 'members') return `Members of ${thread.collective.name}`
  if (thread.kind === 'announcements') return thread.side === 'worker' ? thread.collective.name : 'Everybody who works on it'
  return thread.side === 'worker' ? thread.collective.name : `Worker ${thread.worker}`
}

/** Who wrote, as it stands over a message. */
export function authorWords(author) {
  if (author.mine) return author.collective ? `You, for ${author.collective}` : 'You'
  return author.collective ? `${author.name}, for ${author.collective}` : `Worker ${author.name}`
}

/** Where the thing is that a thread is about, for this user. */
export function placeOf(thread) {
  if (thread.kind === 'announcements' || thread.about.kind === 'project') {
    return thread.side === 'worker' ? `/feed/${thread.project}` : `/projects/${thread.project}`
  }
  if (thread.about.kind === 'assignment') {
    return thread.side === 'worker' ? `/assignments/${thread.about.id}` : `/projects/${thread.project}/review?worker=${thread.worker}`
  }
  return thread.about.kind === 'task' && thread.side === 'collective' ? `/projects/${thread.project}/review?task=${thread.about.id}` : null
}
