"""Progress of projects, rolled up from the outbox by the jobs process, so that claim and submit write no counter.

Each event is counted once. Which ones are new is told by snapshots: what the last round could not see and this one
can. So a transaction that stays open for long (an import) holds nobody's numbers up, which waiting for the oldest
open transaction would.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from psycopg2.extras import execute_values

# Upper bounds in seconds of the buckets of durations, about 1.5 times apart; above the last is one more.
BUCKETS = (
    *(1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 450.0, 600.0),
    *(900.0, 1200.0, 1800.0, 2700.0, 3600.0, 7200.0, 14400.0, 43200.0, 86400.0),
)
# The newest durations that a median is of.
RING = 201
ROUND = 10_000

_STATES = ("claimed", "submitted", "sent_back", "accepted", "rejected", "returned", "expired")
_COUNTERS = (*_STATES, "open_places", "workers", "funded")
_MOVES = {f"assignment.{state}": state for state in _STATES}
_TYPES = [*_MOVES, "place.reopened", "escrow.changed"]
# Any number that no other lock of this database uses.
_LOCK = 0x6775696C_726F6C6C


@dataclass(slots=True)
class _Change:
    """What the events of one round mean for one project."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    seconds: list[float] = field(default_factory=list)
    review_seconds: list[float] = field(default_factory=list)
    minutes: dict[datetime, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))


@transaction.atomic
def roll_up() -> int:
    """Count up to 10,000 new events into ProjectStats and ProjectMinute. Returns how many; 10,000 means: call again.

    Any number of processes may call it: while one is at it the others return 0 at once. Reads these events, whose
    `data` has `project`:

        assignment.<state>   `from`: the state it left, or null; `first`: this worker's first in the project;
                             `seconds`: from claim to submit; `review_seconds`: from submit to a person's decision
        place.reopened       `places`: how many
        escrow.changed       `funded`: minor units more (or less) in escrow, other than by publishing or closing
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        events, round_is_over = _next_events(cursor)
        changes = _changes(events)
        if changes:
            _write_stats(cursor, changes)
            _write_minutes(cursor, changes)
    return len(events) if round_is_over else ROUND


def rollup_lag() -> float:
    """For how many seconds the oldest event that is not counted yet has been waiting; 0 when all are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(EXTRACT(epoch FROM clock_timestamp() - min(at)), 0) FROM realtime_event"
            " WHERE xid >= (SELECT pg_snapshot_xmin(seen::pg_snapshot)::text::bigint FROM projects_rollupcursor)"
            " AND type = ANY(%s) AND NOT pg_visible_in_snapshot("
            "  xid::text::xid8, (SELECT seen::pg_snapshot FROM projects_rollupcursor))",
            [_TYPES],
        )
        return float(cursor.fetchone()[0])


def _next_events(cursor: Any) -> tuple[list[tuple[Any, ...]], bool]:
    """The next events as (xid, id, at, type, data text), and whether they were the last that can be seen."""
    cursor.execute("SELECT seen, target, xid, event, floor, pg_current_snapshot()::text FROM projects_rollupcursor")
    seen, target, xid, event, floor, now = cursor.fetchone()
    if _xmax(now) < _xmin(seen):
        # Transaction ids have started anew: the data was loaded into a new server. What is there has been counted.
        cursor.execute("SELECT COALESCE(max(id), 0) FROM realtime_event")
        seen, target, xid, event, floor = "1:1:", "", 0, 0, cursor.fetchone()[0]
    target = target or now
    # One lower bound: of two the index would be entered by the lower, and read through every old event.
    start = max((_xmin(seen), 0), (xid, event))
    cursor.execute(
        "SELECT xid, id, at, type, data::text FROM realtime_event"
        " WHERE (xid, id) > (%s, %s) AND xid < %s AND id > %s AND type = ANY(%s)"
        " AND NOT pg_visible_in_snapshot(xid::text::xid8, %s::pg_snapshot)"
        " AND pg_visible_in_snapshot(xid::text::xid8, %s::pg_snapshot)"
        " ORDER BY xid, id LIMIT %s",
        [*start, _xmax(target), floor, _TYPES, seen, target, ROUND],
    )
    events = cursor.fetchall()
    if len(events) == ROUND:
        cursor.execute(
            "UPDATE projects_rollupcursor SET seen = %s, target = %s, xid = %s, event = %s, floor = %s",
            [seen, target, *events[-1][:2], floor],
        )
        return events, False
    # A quiet market does not write: the next round reads the same stretch again, as long as it is short.
    if events or xid or _xmin(target) - _xmin(seen) > 500:
        cursor.execute(
            "UPDATE projects_rollupcursor SET seen = %s, target = '', xid = 0, event = 0, floor = %s",
            [target, floor],
        )
    return events, True


def _xmin(snapshot: str) -> int:
    return int(snapshot.split(":")[0])


def _xmax(snapshot: str) -> int:
    return int(snapshot.split(":")[1])


def _changes(events: Iterable[tuple[Any, ...]]) -> dict[UUID, _Change]:
    changes: dict[UUID, _Change] = defaultdict(_Change)
    for _, _, at, type_, text in events:
        data = orjson.loads(text)
        change = changes[UUID(data["project"])]
        if type_ == "place.reopened":
            change.counts["open_places"] += data["places"]
        elif type_ == "escrow.changed":
            change.counts["funded"] += data["funded"]
        else:
            _count_move(change, _MOVES[type_], data, at)
    return dict(sorted(changes.items()))


def _count_move(change: _Change, state: str, data: dict[str, Any], at: datetime) -> None:
    change.counts[state] += 1
    if start := data.get("from"):
        change.counts[start] -= 1
    if state == "claimed":
        change.counts["open_places"] -= 1
        change.counts["workers"] += bool(data.get("first"))
    elif state in ("submitted", "accepted"):
        change.minutes[at.replace(second=0, microsecond=0)][state == "accepted"] += 1
    if (seconds := data.get("seconds")) is not None:
        change.seconds.append(float(seconds))
    if (seconds := data.get("review_seconds")) is not None:
        change.review_seconds.append(float(seconds))


def _write_stats(cursor: Any, changes: dict[UUID, _Change]) -> None:
    # In the order of ids, as everybody who locks several of these rows.
    cursor.execute(
        "SELECT s.project_id, s.recent_seconds, s.recent_review_seconds, s.histogram, v.reward"
        " FROM projects_projectstats s JOIN projects_project p ON p.id = s.project_id"
        " LEFT JOIN projects_version v ON v.id = p.published_id"
        " WHERE s.project_id = ANY(%s::uuid[]) ORDER BY s.project_id FOR NO KEY UPDATE OF s",
        [list(changes)],
    )
    rows = []
    for project_id, seconds, reviews, histogram, reward in cursor.fetchall():
        change = changes[project_id]
        seconds = [*seconds, *change.seconds][-RING:]
        reviews = [*reviews, *change.review_seconds][-RING:]
        middle = median(seconds) if seconds else None
        rows.append(
            (
                project_id,
                *(change.counts[name] for name in _COUNTERS),
                seconds,
                reviews,
                _histogram(histogram, change.seconds),
                middle,
                median(reviews) if reviews else None,
                round(reward * 3600 / middle) if middle and reward is not None else None,
            )
        )
    sums = ", ".join(f"{name} = s.{name} + v.{name}" for name in _COUNTERS)
    execute_values(
        cursor,
        f"UPDATE projects_projectstats s SET {sums}, recent_seconds = v.seconds,"  # noqa: S608
        " recent_review_seconds = v.reviews, histogram = v.histogram, median_seconds = v.middle,"
        " median_review_seconds = v.review_middle, hourly_wage = v.wage, updated_at = now()"
        f" FROM (VALUES %s) AS v(project_id, {', '.join(_COUNTERS)}, seconds, reviews, histogram, middle,"
        " review_middle, wage)"
        " WHERE s.project_id = v.project_id",
        rows,
        template=f"(%s::uuid, {', '.join(['%s'] * (len(_COUNTERS) - 1))}, %s::bigint, %s::float8[], %s::float8[],"
        " %s::int[], %s::float8, %s::float8, %s::bigint)",
        page_size=500,
    )


def _write_minutes(cursor: Any, changes: dict[UUID, _Change]) -> None:
    rows = [
        (project_id, at, *counts)
        for project_id, change in changes.items()
        for at, counts in sorted(change.minutes.items())
    ]
    if rows:
        execute_values(
            cursor,
            "INSERT INTO projects_projectminute AS m (project_id, at, submitted, accepted)"
            " SELECT v.* FROM (VALUES %s) AS v(project_id, at, submitted, accepted)"
            " JOIN projects_project p ON p.id = v.project_id"
            " ON CONFLICT (project_id, at) DO UPDATE"
            " SET submitted = m.submitted + EXCLUDED.submitted, accepted = m.accepted + EXCLUDED.accepted",
            rows,
            template="(%s::uuid, %s::timestamptz, %s, %s)",
            page_size=500,
        )


def _histogram(counts: Sequence[int], seconds: Sequence[float]) -> list[int]:
    """The counts by bucket with new durations added; a duration on a bound belongs below it."""
    total = list(counts) or [0] * (len(BUCKETS) + 1)
    for each in seconds:
        total[bisect_left(BUCKETS, each)] += 1
    return total


def histogram_rows(counts: Sequence[int]) -> list[dict[str, float | int | None]]:
    """The buckets from the first to the last that has anything, as `{"from", "to", "count"}`; `to` may be None."""
    filled = [place for place, count in enumerate(counts) if count]
    if not filled:
        return []
    bounds: list[tuple[float, float | None]] = [*pairwise((0.0, *BUCKETS)), (BUCKETS[-1], None)]
    return [
        {"from": bounds[place][0], "to": bounds[place][1], "count": counts[place]}
        for place in range(filled[0], filled[-1] + 1)
    ]
