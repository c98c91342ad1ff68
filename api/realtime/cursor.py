"""Reading the outbox on from where one was, without a gap and without a repeat.

Ids are given when a row is written, and rows are seen when their transaction commits, so ids appear out of order: who
remembers the highest one misses what commits later with a lower one. What has been seen is exactly a snapshot of the
database, so that is what a cursor holds. New is what the snapshot did not show and the present one does.

Events of one subject are in order: whoever writes one holds the subject's lock, so their ids rise as they commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection, transaction


class Seen(NamedTuple):
    """One event as it stands in the outbox."""

    id: int
    at: datetime
    type: str
    subject_id: UUID
    audience: Sequence[UUID]
    data: dict[str, Any]
    xid: int
    oldest: int


@dataclass(frozen=True, slots=True)
class Page:
    """Events in order of their ids, and where to go on. `more`: go on at once, for there was a limit."""

    events: list[Seen]
    cursor: str
    more: bool


# What was written by transactions that ran at the snapshot, and by later ones. The ids come from the index that holds
# both numbers; asked for in their order at once, the planner would walk the whole table to find the few.
_NEW = """
WITH new AS MATERIALIZED (
    SELECT id FROM realtime_event
     WHERE (xid = ANY(%(running)s) OR xid >= %(next)s) AND id > %(after)s
       AND pg_visible_in_snapshot(xid::text::xid8, %(target)s::pg_snapshot)
)
SELECT e.id, e.at, e.type, e.subject_id, e.audience, e.data::text, e.xid, e.oldest
  FROM (SELECT id FROM new ORDER BY id LIMIT %(limit)s) n JOIN realtime_event e USING (id) ORDER BY e.id
"""


_NEWEST = """
SELECT id, at, type, subject_id, audience, data::text, xid, oldest FROM realtime_event
 WHERE pg_visible_in_snapshot(xid::text::xid8, %(target)s::pg_snapshot)
 ORDER BY xid DESC, id DESC LIMIT %(limit)s
"""


def now() -> str:
    """The cursor of somebody who has seen everything there is at this moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])


def read(cursor: str, limit: int = 1000) -> Page:
    """Up to `limit` events that `cursor` has not seen, from the primary. Raises ValueError for what is no cursor.

    Inside a transaction the rows and what a consumer makes of them are committed together with the new cursor.
    """
    seen, target, after = _parse(cursor)
    with transaction.atomic(), connection.cursor() as query:
        if not target:
            query.execute("SELECT pg_current_snapshot()::text")
            target = str(query.fetchone()[0])
            if target == seen:
                return Page([], seen, more=False)
        _, upcoming, running = _snapshot(seen)
        values = {"running": running, "next": upcoming, "target": target, "after": after, "limit": limit + 1}
        query.execute(_NEW, values)
        rows = query.fetchall()
    events = [Seen(*row[:5], orjson.loads(row[5]), *row[6:]) for row in rows[:limit]]
    if len(rows) > limit:
        return Page(events, f"{seen}|{target}|{events[-1].id}", more=True)
    return Page(events, target, more=False)


def newest(limit: int) -> tuple[list[Seen], str, int]:
    """The newest events in order of their ids; the cursor of who has seen them; and the first transaction whose events
    are all among them, as far as they can be seen and were not deleted.
    """
    with transaction.atomic(), connection.cursor() as query:
        target = now()
        query.execute(_NEWEST, {"target": target, "limit": limit})
        events = [Seen(*row[:5], orjson.loads(row[5]), *row[6:]) for row in query.fetchall()]
    floor = events[-1].xid + 1 if len(events) == limit else 0
    return sorted(events), target, floor


def again(cursor: str, xid: int) -> str:
    """`cursor` as if nothing of the transaction `xid` and of later ones had been seen.

    For a new session, which may be with another server: transactions that the old one never committed are not known
    there, and their ids are given once more. What is read twice has the same id.
    """
    start = min(xid, _snapshot(_parse(cursor)[0])[0])
    return f"{start}:{start}:"


def is_behind(one: str, other: str) -> bool:
    """Whether `one` is of a server that has not come as far as `other`: its data was loaded from a copy."""
    return _snapshot(_parse(one)[0])[1] < _snapshot(_parse(other)[0])[0]


def _parse(cursor: str) -> tuple[str, str, int]:
    """The snapshot that was seen; and, in the middle of a long read, its target and the last id."""
    seen, _, rest = cursor.partition("|")
    target, _, after = rest.partition("|")
    for each in (seen, *([target] if rest else [])):
        _snapshot(each)
    return seen, target, int(after or 0)


def _snapshot(text: str) -> tuple[int, int, list[int]]:
    """(oldest running, next, all running) transaction ids of a snapshot's text."""
    try:
        oldest, upcoming, running = text.split(":")
        return int(oldest), int(upcoming), [int(each) for each in running.split(",") if each]
    except ValueError:
        raise ValueError(f"{text!r} is no cursor.") from None
