import select
from functools import cached_property
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.prepared: set[str] = set()
        self.__dict__.pop("bare_cursor", None)
        return super().get_new_connection(conn_params)

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
