"""After a dump was loaded into a new server, whose transaction ids begin anew."""

from django.db import connection, transaction


@transaction.atomic
def forget_old_transactions() -> bool:
    """Make places that were given back findable again where their marks are from another server.

    Such places are marked with the id of the transaction that did it, and workers remember the last mark they saw; on
    a new server all old marks would lie in the future, and new ones behind what workers remember. Then every worker
    looks at all of them once more. Returns whether that was so; safe to run at any time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT GREATEST((SELECT max(reopened) FROM projects_opentask WHERE reopened IS NOT NULL),"
            "                (SELECT max(reopened_seen) FROM work_participation))"
            "       >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
        )
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("UPDATE projects_opentask SET reopened = 1 WHERE reopened IS NOT NULL")
        cursor.execute(
            "UPDATE work_participation SET reopened_seen = 0, reopened_position = -1 WHERE reopened_seen <> 0"
        )
    return True
