"""Clocks of core."""

from django.conf import settings

from api.core import idempotency, mail, queue
from api.core.clocks import clock


@clock(every=600, full=10_000)
def forget_idempotency_keys() -> int:
    return idempotency.forget_old()


@clock(every=settings.JOBS_LEASE_SECONDS / 6, full=queue.SWEEP)
def take_over_jobs() -> int:
    return queue.take_over()


@clock(every=3600, full=queue.SWEEP)
def forget_finished_jobs() -> int:
    return queue.forget_finished()


@clock(every=3600, full=1_000_000)
def forget_mail() -> int:
    return mail.forget_old()
