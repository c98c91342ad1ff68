"""Users, their sessions, and the applications they let in.

Words: a *user* is one person. Invariants: an e-mail address belongs to one open account; closing an account erases
who the person was and keeps what they did.
"""
