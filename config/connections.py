"""The connections that a whole installation may open, against those that its databases give.

PostgreSQL refuses the connection past `max_connections` at the worst moment, when everybody is busy. So each web node
counts at its start, and says clearly that it will come to that; it starts all the same.
"""

import logging
import threading
from dataclasses import dataclass

from config import env

_log = logging.getLogger("guildhall.connections")
# Besides one for each thread: the wake-up's, the one that /readyz asks over, and the one that looks after replicas.
_OF_A_PROCESS = 3
# Its readers and the one that listens.
_OF_A_GATEWAY = 6
# Its clocks, besides the threads that work.
_OF_A_JOBS_NODE = 12


@dataclass(frozen=True, slots=True)
class Demand:
    """What the installation may open on its primary at once."""

    processes: int
    threads: int
    web: int
    gateways: int
    jobs: int
    job_threads: int

    @property
    def total(self) -> int:
        return (
            self.web * self.processes * (self.threads + _OF_A_PROCESS)
            + self.gateways * _OF_A_GATEWAY
            + self.jobs * (self.job_threads + _OF_A_JOBS_NODE)
        )

    def __str__(self) -> str:
        return (
            f"{self.web} web × {self.processes} processes × ({self.threads} threads + {_OF_A_PROCESS})"
            f" + {self.gateways} gateways × {_OF_A_GATEWAY}"
            f" + {self.jobs} jobs × ({self.job_threads} threads + {_OF_A_JOBS_NODE})"
        )


def demand(*, processes: int, threads: int) -> Demand:
    """What all nodes may open when each web node is sized like this one."""
    return Demand(
        processes=processes,
        threads=threads,
        web=env.number("WEB_NODES", 1),
        gateways=env.number("GATEWAY_NODES", 1),
        jobs=env.number("JOBS_NODES", 1),
        job_threads=env.number("JOBS_THREADS", 2),
    )


def warning(name: str, wanted: Demand, given: int) -> str | None:
    """What to tell the operator of the database `name`, which gives the application `given` connections."""
    if wanted.total <= given:
        return None
    return (
        f"Database {name} gives {given} connections (max_connections without those it reserves), and this installation"
        f" may open {wanted.total}: {wanted}. When all are busy, requests will fail. Raise max_connections, or lower"
        " WEB_CONCURRENCY, WEB_THREADS or the number of nodes (WEB_NODES, GATEWAY_NODES, JOBS_NODES)."
    )


def count(*, processes: int, threads: int) -> list[str]:
    """Ask every database and log a warning for each that gives too few. Returns the warnings. Needs Django.

    A database that cannot be asked is passed over: whether it is there is for /readyz to say.
    """
    from django.db import DatabaseError, connections

    wanted = demand(processes=processes, threads=threads)
    found = []
    for name in connections:
        try:
            with connections[name].cursor() as cursor:
                cursor.execute(
                    "SELECT current_setting('max_connections')::int"
                    " - current_setting('superuser_reserved_connections')::int"
                    # PostgreSQL 16 and later
                    " - COALESCE(current_setting('reserved_connections', true)::int, 0)"
                )
                (given,) = cursor.fetchone()
        except DatabaseError:
            continue
        finally:
            connections[name].close()
        if text := warning(name, wanted, given):
            _log.warning(text)
            found.append(text)
    return found


def count_in_background(*, processes: int, threads: int) -> None:
    """`count`, without holding up the start: a database that hangs answers nobody."""
    sizes = {"processes": processes, "threads": threads}
    threading.Thread(target=count, kwargs=sizes, name="count-connections", daemon=True).start()
