"""What every domain stands on: errors, pages, money, idempotency, limits, the replica router.

Words: a *problem* is an error as the API shows it (RFC 9457); a *domain error* is one as the business code raises
it. Invariants: core imports no other domain; only `problems.py` knows status codes; a 2xx answer means committed.
"""
