"""Clocks of core."""

from api.core import idempotency
from api.core.clocks import clock


@clock(every=600, full=10_000)
def forget_idempotency_keys() -> int:
    return idempotency.forget_old()
