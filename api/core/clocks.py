"""Work that time starts. A domain names its clocks in `jobs.py`; `manage.py jobs` runs them all.

Any number of processes may run the same clock at once: each sweep passes over what another holds, and doing it twice
is the same as once.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import close_old_connections, connection

from api.core import context, metrics

Sweep = Callable[[], int]
# Seconds from which on a clock does not keep its connection between two rounds.
_SELDOM = 60
_log = logging.getLogger("guildhall.clocks")


@dataclass(frozen=True, slots=True)
class Clock:
    """A sweep to run `every` so many seconds, and again at once while it does `full` or more at a time."""

    name: str
    every: float
    full: int
    sweep: Sweep


CLOCKS: dict[str, Clock] = {}


def clock(*, every: float, full: int = 1) -> Callable[[Sweep], Sweep]:
    """Register a sweep, which returns how many things it did."""

    def register(sweep: Sweep) -> Sweep:
        name = f"{sweep.__module__}.{sweep.__name__}"
        CLOCKS[name] = Clock(name, every, full, sweep)
        return sweep

    return register


def tick(each: Clock, stop: threading.Event | None = None) -> int:
    """Run one clock until it has caught up, or until `stop` is set between two sweeps. Returns how much it did."""
    done = 0
    while True:
        count = each.sweep()
        done += count
        if count < each.full or (stop is not None and stop.is_set()):
            return done


def threads(stop: threading.Event) -> list[threading.Thread]:
    """A thread for every clock, with a connection of its own, that runs it until `stop` is set."""
    return [
        threading.Thread(target=_run_one, args=(each, stop), name=each.name, daemon=True) for each in CLOCKS.values()
    ]


def _run_one(each: Clock, stop: threading.Event) -> None:
    context.request_id.set(each.name)
    pause = each.every
    while not stop.wait(pause):
        close_old_connections()
        started = time.perf_counter()
        try:
            if done := tick(each, stop):
                _log.info("clock", extra={"clock": each.name, "done": done})
                metrics.SWEPT.labels(each.name).inc(done)
            metrics.SWEEPS.labels(each.name).observe(time.perf_counter() - started)
            pause = each.every
        except Exception:  # noqa: BLE001  (it is logged, and the clock goes on)
            # Whatever went wrong, the next round may go well; the pause grows so that a fault is not hammered.
            _log.exception("clock failed", extra={"clock": each.name})
            metrics.FAILED_SWEEPS.labels(each.name).inc()
            connection.close()
            pause = min(60.0, max(1.0, pause * 2))
        if each.every >= _SELDOM:
            connection.close()
    connection.close()
