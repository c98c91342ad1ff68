"""Reviews: what the requester says to an answer, and the money that follows.

Words: a *review* accepts, rejects or sends back; a *bonus* is paid on top; a *part payment* is paid for work that
was not accepted. Invariants: accepted work is paid in the same transaction, once; a rejection has a category and a
reason; rejecting stops past 20 % of a project's decisions (and 20 rejections).
"""
