"""Events: facts that were committed, for whoever wants to hear of them.

Words: an *event* is a row written in the transaction of the change it tells of. Invariants: a rollback publishes
nothing; events of one subject are in order; `xid` orders events by what can be seen, which `id` does not (ids commit
out of order).
"""
