"""The gateway's view of the database: everything here waits, so it runs in threads, never on the event loop."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import close_old_connections, connection

from api.accounts import selectors as accounts
from api.accounts.selectors import LiveToken
from api.core import replicas
from api.realtime import audiences, cursor, ephemeral
from api.realtime.catalog import KINDS
from api.realtime.cursor import Seen
from api.realtime.models import Event
from api.realtime.recent import Item

ROUND = 1000


class Read(NamedTuple):
    """What one look at the outbox gave. `anew`: what was known before is of no use any more."""

    items: list[Item]
    more: bool
    anew: bool = False
    floor: int = 0
    newest: int = 0
    lag: float = 0.0


class Reader:
    """Reads the outbox on, in one thread, with a session that it notices to be another one."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._cursor = ""
        self._highest = 0
        self._session: object = None

    def look(self) -> Read:
        """The next events. Raises whatever the database raises; then the next call has a new session."""
        try:
            connection.ensure_connection()
            if connection.connection is not self._session:
                self._session = connection.connection
                if not self._cursor or cursor.is_behind(cursor.now(), self._cursor):
                    return self._begin()
                self._cursor = cursor.again(self._cursor, self._highest)
            page = cursor.read(self._cursor, ROUND)
            items = self._items(page.events)
        except Exception:
            connection.close()
            raise
        # Not before everything has gone well: what is read with it is not read again.
        self._cursor = page.cursor
        lag = (datetime.now(UTC) - page.events[-1].at).total_seconds() if page.events else 0.0
        return Read(items, page.more, lag=lag)

    def _begin(self) -> Read:
        events, at, floor = cursor.newest(self._size)
        newest = max((event.id for event in events), default=0)
        self._highest = 0
        read = Read(self._items(events), more=False, anew=True, floor=floor, newest=newest)
        self._cursor = at
        return read

    def _items(self, events: Sequence[Seen]) -> list[Item]:
        if not events:
            return []
        self._highest = max(self._highest, *(event.xid for event in events))
        read_after = replicas.position()
        return [item(event, read_after) for event in events if event.type in KINDS and event.audience]


def item(event: Seen, read_after: str) -> Item:
    kept = KINDS[event.type].data
    body = {
        "type": "event",
        "id": event.id,
        "event": event.type,
        "subject": event.subject_id,
        "at": event.at.astimezone(UTC),
        "data": {name: event.data[name] for name in kept if name in event.data},
        "read_after": read_after,
    }
    audience = tuple(event.audience)
    return Item(event.id, event.xid, event.oldest, event.type, audience, text_frame(body))


def text_frame(body: object) -> bytes:
    """A whole text frame of a server (RFC 6455, section 5.2), with the JSON of `body`."""
    text = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    size = len(text)
    if size < 126:
        return bytes([0x81, size]) + text
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text


class Admission(NamedTuple):
    """What is known of those who said hello: tokens by checksum, audiences by user, and how far events reach back."""

    tokens: dict[str, LiveToken]
    audiences: dict[UUID, frozenset[UUID]]
    oldest: dict[int, int]


def admit(checksums: Collection[str], events: Collection[int]) -> Admission:
    close_old_connections()
    tokens = accounts.live_tokens(checksums)
    known = dict(Event.objects.filter(id__in=events).values_list("id", "oldest")) if events else {}
    return Admission(tokens, audiences.of({token.user_id for token in tokens.values()}), known)


def standing(checksums: Sequence[str]) -> dict[str, LiveToken]:
    close_old_connections()
    return accounts.live_tokens(checksums)


def audiences_of(user_ids: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    close_old_connections()
    return audiences.of(user_ids)


def concerned(type_: str, user_id: UUID, frame: Mapping[str, Any]) -> ephemeral.Concern | None:
    close_old_connections()
    return ephemeral.resolve(type_, user_id, frame)
