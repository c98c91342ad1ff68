"""A connection that never waits longer than it should.

Django's connections wait for as long as the server holds them: for ever, when it hangs.
"""

import select
import time
from typing import Any

import psycopg2
from django.db import connections
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE

_EVENTS = {POLL_READ: select.POLLIN, POLL_WRITE: select.POLLOUT}


class BoundedSession:
    """A connection to a database, besides Django's own; made when it is needed, and again after it was lost."""

    def __init__(self, alias: str, timeout: float) -> None:
        self.alias = alias
        self.timeout = timeout
        self._connection: Any = None

    def ask(self, sql: str) -> tuple[Any, ...]:
        """The first row of a query, within `timeout` seconds; a session that was kept and is lost is made anew once.

        Raises psycopg2.Error and TimeoutError.
        """
        deadline = time.monotonic() + self.timeout
        kept = self._connection is not None
        try:
            return self._ask(sql, deadline)
        except psycopg2.Error:
            if not kept:
                raise
            return self._ask(sql, deadline)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ask(self, sql: str, deadline: float) -> tuple[Any, ...]:
        try:
            if self._connection is None:
                self._connection = psycopg2.connect(**self._parameters(), async_=1)
                self._wait(deadline)
            cursor = self._connection.cursor()
            cursor.execute(sql)
            self._wait(deadline)
            row: tuple[Any, ...] = cursor.fetchone()
            return row
        except BaseException:
            self.close()
            raise

    def _parameters(self) -> dict[str, Any]:
        given: dict[str, Any] = connections[self.alias].get_connection_params()
        return {name: value for name, value in given.items() if name not in ("cursor_factory", "context")}

    def _wait(self, deadline: float) -> None:
        while (state := self._connection.poll()) != POLL_OK:
            wanted = select.poll()
            wanted.register(self._connection.fileno(), _EVENTS[state])
            if not wanted.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise TimeoutError("the database says nothing")
