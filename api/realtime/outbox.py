"""Publishing events. Called from services only, inside the transaction that makes the change."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from api.realtime import wakeup
from api.realtime.models import Event


def publish(type_: str, *, subject: UUID, audience: Iterable[UUID] = (), data: Mapping[str, Any] | None = None) -> None:
    """Record that something happened to `subject`, for the members of the collectives (a user's own id
    is one) in `audience`.

    `data` holds ids and small facts, never whole objects. Raises TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An event is published in the transaction of its change.")
    Event.objects.create(type=type_, subject_id=subject, audience=sorted(set(audience)), data=dict(data or {}))
    wakeup.after_commit()


def publish_many(
    type_: str, events: Iterable[tuple[UUID, Iterable[UUID], Mapping[str, Any]]], *, batch_size: int = 2000
) -> None:
    """`publish` for many subjects of one kind: (subject, audience, data) each."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An event is published in the transaction of its change.")
    rows = (
        Event(type=type_, subject_id=subject, audience=sorted(set(audience)), data=dict(data))
        for subject, audience, data in events
    )
    Event.objects.bulk_create(rows, batch_size=batch_size)
    wakeup.after_commit()
