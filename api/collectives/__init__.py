"""Collectives: who belongs together, and who among them may do what.

Words: a *collective* owns projects and purses; a *solo* collective is one user's own; *the hall* is the platform
itself. Invariants: every user has exactly one solo collective, with the user's own id; every governed act asks
`govern()`, which denies whatever it does not know.
"""
