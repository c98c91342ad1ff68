"""What users were told."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from api.accounts.models import User
from api.realtime.models import Notification

MOST_COUNTED = 1000


def visible_notifications(user: User) -> QuerySet[Notification]:
    return Notification.objects.filter(user=user)


def unread_count(user: User) -> int:
    """How many of the user's notifications are unread; `MOST_COUNTED` means that many or more."""
    return len(visible_notifications(user).filter(read_at=None).values_list("id")[:MOST_COUNTED])


def own_notifications(user: User) -> Iterator[Any]:
    """For the export of the user's data."""
    fields = ("kind", "subject_id", "count", "amount", "currency", "data", "at", "read_at")
    yield from visible_notifications(user).order_by("id").values(*fields).iterator()


def outbox_lag() -> dict[str, float]:
    """For how many seconds the oldest event that a consumer has not read has been waiting; 0 when it read all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, COALESCE(EXTRACT(epoch FROM clock_timestamp() - (SELECT min(at) FROM realtime_event"
            "  WHERE xid >= split_part(cursor, ':', 1)::bigint"
            "  AND NOT pg_visible_in_snapshot(xid::text::xid8, split_part(cursor, '|', 1)::pg_snapshot))), 0)"
            " FROM realtime_consumer"
        )
        return {name: float(seconds) for name, seconds in cursor.fetchall()}
