"""Messages between people: a worker and those they work for, the members of a collective, a project and its workers.

Words: a *thread* is about one thing (a project, a task, an assignment, a collective) and between two *sides*: a worker
and a collective, the members of a collective, or a collective and everybody who works on a project (*announcements*).
A *message* has its *number* in its thread; a *mark* is how far one person has read one. Invariants: there is one thread
about a thing between the same two; a message is stored before anybody is told, and told of by its event; what a
collective sees of a worker is the pseudonym it knows them by; whom a side has blocked writes nothing to it.
"""
