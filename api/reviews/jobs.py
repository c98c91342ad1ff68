"""Clocks of reviews."""

from api.core.clocks import clock
from api.reviews import services
from api.reviews.services.accept import SWEEP


@clock(every=2, full=SWEEP)
def accept_due() -> int:
    return services.accept_due()
