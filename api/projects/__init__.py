"""Projects: what is asked, at what price, by which rules, and of which inputs.

Words: a *project* has *versions*, of which a published one never changes; a *batch* is one import; a *task* is one
unit of input; an *open task* has places left. Invariants: an open task's free places plus the task's live
assignments are its project's `assignments_per_task`; the escrow of a project holds exactly what it still owes.
"""
