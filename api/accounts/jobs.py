"""Clocks of accounts."""

from api.accounts.services import authorisations, sessions
from api.core.clocks import clock


@clock(every=3600, full=authorisations.SWEEP)
def forget_authorisations() -> int:
    return authorisations.forget_old()


@clock(every=3600, full=sessions.SWEEP)
def forget_sessions() -> int:
    return sessions.forget_old()
