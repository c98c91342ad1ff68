"""Notifications: made of events, once for each; read; forgotten."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models.functions import Collate
from django.utils import timezone
from psycopg2.extras import execute_values

from api.accounts.models import User
from api.realtime import consumers, notices, outbox
from api.realtime.models import Notification
from api.realtime.notices import Notice
from api.realtime.selectors import visible_notifications

ROUND = 1000
SWEEP = 5000
# How long a notification is kept after it was made: read, and never read.
KEEP_READ = timedelta(days=90)
KEEP_UNREAD = timedelta(days=365)


@transaction.atomic
def notify_of_events() -> int:
    """Make notifications of the next events. Returns how many there were; `ROUND` means: call again.

    Any number of processes may call it: while one is at it the others return 0 at once. The notifications are committed
    together with how far the outbox was read, so each event is told once.
    """
    page = consumers.take("notifications", ROUND)
    _tell(notices.of(page.events))
    return ROUND if page.more else len(page.events)


@transaction.atomic
def mark_read(*, user: User, up_to: int | None = None, ids: Collection[int] = (), subject: UUID | None = None) -> int:
    """Mark the user's notifications as read: all up to an id, some, or what is about one thing. Returns how many were.

    What was told again meanwhile has a new id, and stays unread.
    """
    rows = visible_notifications(user).filter(read_at=None)
    if up_to is not None:
        rows = rows.filter(id__lte=up_to)
    elif subject is not None:
        rows = rows.filter(subject_id=subject)
    else:
        rows = rows.filter(id__in=ids)
    # In the order in which they are written, so that neither waits for the other for ever.
    held = list(rows.order_by(Collate("kind", "C"), "subject_id").select_for_update().values_list("id", flat=True))
    count = visible_notifications(user).filter(id__in=held).update(read_at=timezone.now())
    if count:
        outbox.publish("notification.read", subject=user.id, audience=[user.id], data={"count": count})
    return count


@transaction.atomic
def forget_old() -> int:
    """Delete notifications past their time. Returns how many."""
    now = timezone.now()
    old = Notification.objects.filter(at__lt=now - KEEP_READ).exclude(read_at=None, at__gte=now - KEEP_UNREAD)
    ids = list(old.order_by("at").select_for_update(skip_locked=True).values_list("id", flat=True)[:SWEEP])
    return Notification.objects.filter(id__in=ids).delete()[0]


def close_account(user: User, forfeit: bool) -> None:
    """A step of closing an account: nobody is left to be told."""
    visible_notifications(user).delete()


def _tell(given: Iterable[Notice]) -> None:
    wanted = list(given)
    people = notices.people_of({notice.to for notice in wanted})
    rows: dict[tuple[UUID, str, UUID], Notice] = {}
    for notice in wanted:
        for user_id in people.get(notice.to, ()):
            if user_id != notice.but_not:
                key = (user_id, notice.kind, notice.subject)
                rows[key] = _added(rows[key], notice) if key in rows else notice
    if not rows:
        return
    stored = _store(rows)
    outbox.publish_many(
        "notification.created",
        (
            (user_id, [user_id], {"notification": id_, "kind": kind, "about": str(subject)})
            for id_, user_id, kind, subject, new in stored
            if new
        ),
    )


def _added(old: Notice, new: Notice) -> Notice:
    amount = None if new.amount is None else (old.amount or 0) + new.amount
    return replace(new, count=old.count + new.count, amount=amount)


def _store(rows: dict[tuple[UUID, str, UUID], Notice]) -> list[tuple[int, UUID, str, UUID, bool]]:
    """Write them down: (id, user, kind, subject, whether it is not an addition to an unread one)."""
    values: list[tuple[Any, ...]] = [
        (*key, each.count, each.amount, each.currency, orjson.dumps(dict(each.data)).decode())
        for key, each in sorted(rows.items(), key=lambda item: item[0])
    ]
    with connection.cursor() as cursor:
        stored: list[tuple[int, UUID, str, UUID, bool]] = execute_values(
            cursor,
            "INSERT INTO realtime_notification AS n (user_id, kind, subject_id, count, amount, currency, data)"
            " VALUES %s ON CONFLICT (user_id, kind, subject_id) WHERE read_at IS NULL DO UPDATE SET"
            " id = EXCLUDED.id, count = n.count + EXCLUDED.count, amount = n.amount + EXCLUDED.amount,"
            " data = EXCLUDED.data, at = now() RETURNING id, user_id, kind, subject_id, xmax = 0",
            values,
            template="(%s::uuid, %s, %s::uuid, %s, %s, %s, %s::jsonb)",
            page_size=500,
            fetch=True,
        )
    return stored
