"""Clocks of projects."""

from api.core.clocks import clock
from api.projects import services
from api.projects.services.rollup import ROUND


@clock(every=0.5, full=ROUND)
def roll_up() -> int:
    return services.roll_up()
