"""Results: what the answers of a project come to, and taking them out.

Words: a *label* is the value that an answer has under one chosen key; the *consensus* is one label for each task; a
*tie* is a task with several equally good labels. Invariants: nothing here writes; only members of the project's
collective see results, and workers only by their pseudonyms; an export costs the same memory whatever its size.
"""
