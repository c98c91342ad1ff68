import math
import os
import select
import socket
import weakref
from functools import cached_property
from typing import Any

import psycopg2
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    replayed = 0
    """How far the server at the other end has come, as far as it was asked over this connection."""
    as_of = -math.inf
    """Everything that was committed on the primary at this instant (monotonic) can be read over this connection."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.prepared: set[str] = set()
        self.__dict__.pop("bare_cursor", None)
        self.replayed, self.as_of = 0, -math.inf
        try:
            connection = super().get_new_connection(conn_params)
        except psycopg2.Error as error:
            # For api.core.trouble: whatever was to be done has not been begun.
            error.while_connecting = True
            raise
        _open.setdefault(self.alias, weakref.WeakSet()).add(connection)
        return connection

    @cached_property
    def bare_cursor(self) -> Any:
        """The driver's own cursor, kept for as long as the connection: making one costs as much as a short query."""
        return self.create_cursor()

    def is_usable(self) -> bool:
        """Whether the server has hung up since the last request.

        Django asks this once a request. An idle session has nothing to read; a closed one reads as end of file.
        Looking costs a microsecond, where the stock `SELECT 1` costs a round trip.
        """
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return not poll.poll(0)


# The open connections of this process, of all its threads.
_open: dict[str, weakref.WeakSet[Any]] = {}


def cut(alias: str) -> None:
    """Hang up on a server that says nothing any more: every thread that waits for it gets OperationalError at once."""
    for connection in list(_open.get(alias, ())):
        try:
            number = os.dup(connection.fileno())
        except (psycopg2.Error, OSError):
            continue
        with socket.socket(fileno=number) as end:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
