"""Clocks of work."""

from api.core.clocks import clock
from api.work import services
from api.work.services.handback import SWEEP


@clock(every=2, full=SWEEP)
def expire_overdue() -> int:
    return services.expire_overdue()


@clock(every=2, full=SWEEP)
def resubmit_overdue() -> int:
    return services.resubmit_overdue()


@clock(every=60, full=SWEEP)
def settle_rejections() -> int:
    return services.settle_rejections()
