"""Money coming in."""

import secrets
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from api.accounts.models import User
from api.core.errors import NotAllowed, NotFound
from api.ledger import owners
from api.ledger.errors import NotAPurse, WrongState
from api.ledger.models import Deposit, Purse, Transfer
from api.ledger.providers import provider_of
from api.ledger.selectors import access_purse, visible_deposits
from api.ledger.services.purses import require_currency, system_purse
from api.ledger.services.transfers import transfer
from api.realtime import outbox

# Crockford's alphabet: nothing that looks like something else on a bank form.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@transaction.atomic
def request_deposit(
    *, purse_id: UUID, amount: int, currency: str, by: User, reference: str = "", provider: str | None = None
) -> Deposit:
    """Note that `amount` (minor units, in the purse's currency) is on its way; nothing moves until it is confirmed,
    which an instant provider does at once.

    Raises NotFound, NotAllowed when the owner does not let `by` deposit, NotAPurse for a hold.
    """
    purse = access_purse(by, purse_id)
    owners.require_may(by, purse.owner_id, "treasury.deposit")
    if purse.kind != Purse.Kind.PURSE:
        raise NotAPurse
    require_currency(purse, currency)
    chosen = provider_of(provider)
    deposit = Deposit.objects.create(
        purse=purse,
        provider=chosen.name,
        code="".join(secrets.choice(_ALPHABET) for _ in range(10)),
        amount=amount,
        currency=purse.currency,
        reference=reference,
        by_id=by.id,
    )
    deposit.refresh_from_db(fields=["created_at"])
    _publish("deposit.requested", deposit)
    if chosen.instant:
        _credit(deposit, by)
    return deposit


@transaction.atomic
def confirm_deposit(*, deposit_id: UUID, by: User) -> Deposit:
    """The money has arrived: an operator puts it into the purse.

    Safe to call twice. Raises NotAllowed for anyone but operators, WrongState when it was cancelled.
    """
    if not by.is_staff:
        raise NotAllowed
    deposit = _lock(deposit_id)
    if deposit.state != Deposit.State.CONFIRMED:
        _credit(deposit, by)
    return deposit


def _credit(deposit: Deposit, by: User) -> None:
    _decide(deposit, Deposit.State.CONFIRMED, by, timezone.now())
    outside = system_purse(kind=Purse.Kind.EXTERNAL, currency=deposit.currency)
    transfer(
        key=f"deposit:{deposit.id}",
        kind=Transfer.Kind.DEPOSIT,
        lines=[(outside.id, -deposit.amount), (deposit.purse_id, deposit.amount)],
        memo=deposit.code,
        by=by.id,
        subject=("deposit", deposit.id),
    )
    _publish("deposit.confirmed", deposit)


@transaction.atomic
def cancel_deposit(*, deposit_id: UUID, by: User) -> Deposit:
    """The money will not be sent, says whom the owner lets deposit.

    Raises NotFound, NotAllowed, and WrongState unless it is waiting.
    """
    seen = visible_deposits(by).filter(id=deposit_id).select_related("purse").first()
    if seen is None:
        raise NotFound
    owners.require_may(by, seen.purse.owner_id, "treasury.deposit")
    return _cancel(deposit_id, by)


@transaction.atomic
def give_up_deposit(*, deposit_id: UUID, by: User) -> Deposit:
    """The money has not come, says an operator.

    Raises NotFound, NotAllowed for anyone but operators, and WrongState unless it is waiting.
    """
    if not by.is_staff:
        raise NotAllowed
    return _cancel(deposit_id, by)


def _cancel(deposit_id: UUID, by: User) -> Deposit:
    deposit = _lock(deposit_id)
    _decide(deposit, Deposit.State.CANCELLED, by, timezone.now())
    _publish("deposit.cancelled", deposit)
    return deposit


def _lock(deposit_id: UUID) -> Deposit:
    found = Deposit.objects.select_related("purse").select_for_update(of=("self",)).filter(id=deposit_id).first()
    if found is None:
        raise NotFound
    return found


def _decide(deposit: Deposit, state: Deposit.State, by: User, at: datetime) -> None:
    if deposit.state != Deposit.State.WAITING:
        raise WrongState(f"This deposit is {deposit.state} already.")
    deposit.state, deposit.decided_at, deposit.decided_by_id = state, at, by.id
    deposit.save(update_fields=["state", "decided_at", "decided_by_id"])


def _publish(type_: str, deposit: Deposit) -> None:
    outbox.publish(
        type_,
        subject=deposit.id,
        audience=[deposit.purse.owner_id] if deposit.purse.owner_id else [],
        data={"deposit": str(deposit.id), "purse": str(deposit.purse_id)},
    )
