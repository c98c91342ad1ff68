"""What users were told."""

from collections.abc import Iterator
from typing import Any

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
