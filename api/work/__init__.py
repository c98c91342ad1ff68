"""Work: claiming, drafting, submitting, returning, and the clocks that run meanwhile.

Words: an *assignment* is one worker's hold on one task, then their answer, then its review; a *move* is one change of
its state; a *participation* is one worker's way through one project. Invariants: a task never has more live
assignments than places; a worker has at most one assignment for each task; states move only as `State.MOVES` says.
"""
