"""How long events stay, and what becomes of them in another server."""

from django.conf import settings
from django.db import connection, transaction

SWEEP = 5000


@transaction.atomic
def forget_events() -> int:
    """Delete events that are older than `EVENTS_KEPT`, `SWEEP` of the lowest ids at a time. Returns how many.

    Who comes back after one of them is told to fetch anew.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM realtime_event WHERE id IN (SELECT id FROM ("
            "  SELECT id, at FROM realtime_event ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED"
            " ) lowest WHERE at < now() - %s)",
            [SWEEP, settings.EVENTS_KEPT],
        )
        return int(cursor.rowcount)


@transaction.atomic
def forget_old_transactions() -> bool:
    """Make events readable that came with a dump from another server, whose transaction ids mean nothing here.

    They count as seen by everybody; what a consumer had not read when the dump was made, it never will. Returns whether
    there were any; safe to run at any time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE realtime_event SET xid = 0, oldest = 0"
            " WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
        )
        if not cursor.rowcount:
            return False
        cursor.execute(
            "UPDATE realtime_consumer SET cursor = pg_current_snapshot()::text"
            " WHERE pg_snapshot_xmin(split_part(cursor, '|', 1)::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot())"
        )
    return True
