"""Health for whoever watches: `/healthz` (this process answers) and `/readyz` (it can serve).

`/readyz` fails while the process is being stopped, without a primary database, and while migrations wait. Without Redis
a node is `degraded` and ready: nothing has its only home there, and a fleet that took itself out with Redis would turn
a slower service into none.
"""

import select
import threading
import time
from typing import Any

import psycopg2
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE

from api.core import redis, stopping
from api.core.http import answer

TIMEOUT = 2.0
"""Seconds after which a database that says nothing counts as gone."""
REMEMBERED = 0.5
"""Seconds for which what was found is told again, so that many who ask cost as much as one."""
_migrated = False


class Probe:
    """Asks the primary whether it answers, over a connection of its own that never waits longer than it should.

    Django's connections wait for as long as the server holds them: for ever, when it hangs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Any = None
        self._found = False
        self._found_at = -REMEMBERED

    def answers(self) -> bool:
        with self._lock:
            if time.monotonic() - self._found_at >= REMEMBERED:
                deadline = time.monotonic() + TIMEOUT
                # A kept connection may have died, or lead to what is a standby now, so a new one decides.
                kept = self._connection is not None
                self._found = self._ask(deadline) or (kept and self._ask(deadline))
                self._found_at = time.monotonic()
            return self._found

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, deadline: float) -> bool:
        try:
            if self._connection is None:
                self._connection = psycopg2.connect(**_parameters(), async_=1)
                self._wait(deadline)
            cursor = self._connection.cursor()
            cursor.execute("SELECT pg_is_in_recovery()")
            self._wait(deadline)
            (is_standby,) = cursor.fetchone()
        except (psycopg2.Error, OSError):
            is_standby = True
        if is_standby:
            self.close()
        return not is_standby

    def _wait(self, deadline: float) -> None:
        while (state := self._connection.poll()) != POLL_OK:
            wanted = select.poll()
            wanted.register(self._connection.fileno(), {POLL_READ: select.POLLIN, POLL_WRITE: select.POLLOUT}[state])
            if not wanted.poll(max(0, deadline - time.monotonic()) * 1000):
                raise TimeoutError("the database says nothing")


def _parameters() -> dict[str, Any]:
    given: dict[str, Any] = connection.get_connection_params()
    return {name: value for name, value in given.items() if name not in ("cursor_factory", "context")}


probe = Probe()


def healthz(request: HttpRequest) -> HttpResponse:
    return answer({"ok": True})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when this node can serve; else 503, with what fails by name. `degraded` is missed, but not needed."""
    failing = ["draining"] if stopping.now else []
    if not probe.answers():
        failing.append("database")
    elif not _is_migrated():
        failing.append("migrations")
    degraded = ["redis"] if redis.is_configured() and not redis.is_up() else []
    said = {"ok": not failing, "failing": failing, "degraded": degraded}
    return answer(said, status=503 if failing else 200, headers={"Cache-Control": "no-store"})


def _is_migrated() -> bool:
    """Whether every migration is in the database. It is asked until it is; none is ever taken back."""
    global _migrated
    if not _migrated:
        try:
            executor = MigrationExecutor(connection)
            _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError:
            return False
    return _migrated
