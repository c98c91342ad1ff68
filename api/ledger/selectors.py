"""Reading purses and what moved in them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from api.accounts.models import User
from api.core.errors import NotFound
from api.ledger import owners
from api.ledger.models import Deposit, Entry, Payout, Purse


def visible_purses(user: User) -> QuerySet[Purse]:
    """Purses and holds of every owner the user belongs to."""
    return Purse.objects.filter(owner_id__in=owners.ids_of(user))


def visible_deposits(user: User) -> QuerySet[Deposit]:
    return Deposit.objects.filter(purse__owner_id__in=owners.ids_of(user))


def visible_payouts(user: User) -> QuerySet[Payout]:
    return Payout.objects.filter(purse__owner_id__in=owners.ids_of(user))


def access_purse(user: User, purse_id: UUID) -> Purse:
    """A purse the user may see. Raises NotFound."""
    found = visible_purses(user).filter(id=purse_id).first()
    if found is None:
        raise NotFound
    return found


def balance_of(*, owner_id: UUID, currency: str) -> int:
    """What is in the owner's purse, in minor units; 0 when it was never opened."""
    rows = Purse.objects.filter(kind=Purse.Kind.PURSE, owner_id=owner_id, currency=currency)
    return rows.values_list("balance", flat=True).first() or 0


def held_for(*, kind: str, subject_id: UUID) -> int:
    """What is held for a subject, in minor units: `held_for(kind="project", subject_id=…)` is its escrow."""
    rows = Purse.objects.filter(held_for_kind=kind, held_for_id=subject_id, kind__in=["escrow", "payout"])
    return sum(rows.values_list("balance", flat=True))


def statement(*, purse_id: UUID, since: datetime | None = None, until: datetime | None = None) -> QuerySet[Entry]:
    """The entries of a purse with their transfers, from `since` until just before `until`. Order by (at,
    id).
    """
    rows = Entry.objects.filter(purse_id=purse_id).select_related("transfer")
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    return rows


def statement_rows(entries: QuerySet[Entry]) -> Iterator[list[Any]]:
    """Every entry as a row of `STATEMENT_HEADER`, newest first, in constant memory and from one snapshot."""
    with transaction.atomic():
        for entry in entries.order_by("-at", "-id").iterator(chunk_size=2000):
            about = entry.transfer
            yield [
                entry.id,
                entry.at.isoformat(),
                about.kind,
                about.memo,
                entry.amount,
                entry.balance_after,
                entry.currency,
                about.subject_kind,
                about.subject_id,
            ]


STATEMENT_HEADER = (
    "id",
    "at",
    "kind",
    "memo",
    "amount",
    "balance_after",
    "currency",
    "subject_kind",
    "subject_id",
)


def own_entries(user: User) -> Iterator[Any]:
    """Every entry of the user's own purses, oldest first."""
    rows = Entry.objects.filter(purse__owner_id=user.id, purse__kind=Purse.Kind.PURSE).order_by("id")
    yield from rows.values(
        "id",
        "at",
        "purse_id",
        "amount",
        "balance_after",
        "currency",
        kind=F("transfer__kind"),
        memo=F("transfer__memo"),
        subject_kind=F("transfer__subject_kind"),
        subject_id=F("transfer__subject_id"),
    ).iterator()


def own_deposits(user: User) -> Iterator[Any]:
    rows = Deposit.objects.filter(by_id=user.id).order_by("id")
    yield from rows.values(
        "id", "purse_id", "provider", "code", "amount", "currency", "reference", "state", "created_at", "decided_at"
    ).iterator()


def own_payouts(user: User) -> Iterator[Any]:
    rows = Payout.objects.filter(by_id=user.id).order_by("id")
    yield from rows.values(
        "id",
        "purse_id",
        "provider",
        "amount",
        "currency",
        "method",
        "details",
        "state",
        "reference",
        "failure",
        "created_at",
        "decided_at",
    ).iterator()
