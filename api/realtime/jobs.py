"""Clocks of realtime."""

from api.core.clocks import clock
from api.realtime import retention, services


@clock(every=0.5, full=services.ROUND)
def notify_of_events() -> int:
    return services.notify_of_events()


@clock(every=600, full=services.SWEEP)
def forget_notifications() -> int:
    return services.forget_old()


@clock(every=60, full=retention.SWEEP)
def forget_events() -> int:
    return retention.forget_events()
