"""Clocks of messaging."""

from api.core.clocks import clock
from api.messaging import services
from api.messaging.services.digests import ROUND


@clock(every=60, full=ROUND)
def send_digests() -> int:
    return services.send_digests()
