"""Publishing events. Called from services only, inside the transaction that makes the change."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from api.realtime.models import Event


def publish(
    type_: str, *, subject: UUID, audience: Iterable[UUID] = (), data: Mapping[str, Any] | None = None
) -> None:
    """Record that something happened to `subject`, for the members of the collectives (a user's own id
    is one) in `audience`.

    `data` holds ids and small facts, never whole objects. Raises TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An event is published in the transaction of its change.")
    Event.objects.create(type=type_, subject_id=subject, audience=sorted(set(audience)), data=dict(data or {}))
