"""Finding purses, and opening them the first time they are asked for."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.conf import settings

from api.accounts.models import User
from api.core.errors import FieldError, Invalid
from api.ledger import owners
from api.ledger.models import Purse

_HOLDS = {"project": Purse.Kind.ESCROW, "payout": Purse.Kind.PAYOUT}


def purse_of(*, owner_id: UUID, currency: str) -> Purse:
    """The purse of a collective in a currency; opened when it has none. Safe when two ask at once."""
    return _open(kind=Purse.Kind.PURSE, owner_id=owner_id, currency=currency)


def hold_of(*, kind: str, subject_id: UUID, owner_id: UUID, currency: str) -> Purse:
    """The hold for one subject: `kind` is `project` (its escrow) or `payout`. Opened when there is none."""
    found = _open(
        {"owner_id": owner_id},
        kind=_HOLDS[kind],
        held_for_kind=kind,
        held_for_id=subject_id,
        currency=currency,
    )
    if found.owner_id != owner_id:
        raise ValueError(f"The hold for {kind} {subject_id} belongs to another owner.")
    return found


def system_purse(*, kind: Purse.Kind, currency: str) -> Purse:
    """The hall's purse for `fees`, or the one that stands for the world outside (`external`)."""
    if kind not in (Purse.Kind.FEES, Purse.Kind.EXTERNAL):
        raise ValueError(f"{kind} is no kind of system purse.")
    return _open(kind=kind, currency=currency)


def purses_of(*, owner_ids: Collection[UUID], currency: str) -> dict[UUID, UUID]:
    """Purse ids by owner id, for many owners in at most three statements; missing purses are opened."""
    wanted = set(owner_ids)
    found = _purse_ids(wanted, currency)
    missing = sorted(wanted - found.keys())
    if missing:
        Purse.objects.bulk_create(
            [Purse(kind=Purse.Kind.PURSE, owner_id=owner_id, currency=currency) for owner_id in missing],
            ignore_conflicts=True,
        )
        found |= _purse_ids(missing, currency)
    return found


def open_purses(*, user: User) -> None:
    """Open a purse in the house currency for each owner the user belongs to that has none yet."""
    purses_of(owner_ids=list(owners.ids_of(user)), currency=settings.CURRENCY)


def require_currency(purse: Purse, currency: str) -> None:
    if purse.currency != currency:
        detail = f"The currency of this purse is {purse.currency}."
        raise Invalid(errors=[FieldError("amount.currency", detail, "wrong_currency")])


def _open(values: dict[str, Any] | None = None, /, **key: Any) -> Purse:
    """The purse that `key` names, or a new one. A rival's insert wins and is read back."""
    found = Purse.objects.filter(**key).first()
    if found is None:
        Purse.objects.bulk_create([Purse(**key, **(values or {}))], ignore_conflicts=True)
        found = Purse.objects.get(**key)
    return found


def _purse_ids(owner_ids: Collection[UUID], currency: str) -> dict[UUID, UUID]:
    rows = Purse.objects.filter(kind=Purse.Kind.PURSE, owner_id__in=owner_ids, currency=currency)
    return {owner_id: id_ for owner_id, id_ in rows.values_list("owner_id", "id") if owner_id}
