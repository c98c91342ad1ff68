"""Money going out: asked for, held, gathered into a batch, then paid or given back."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from api.accounts.models import User
from api.core.errors import FieldError, Invalid, NotAllowed, NotFound
from api.core.ids import uuid7
from api.core.money import shown
from api.ledger import owners
from api.ledger.errors import NotAPurse, TooSmall, WrongState
from api.ledger.models import Payout, PayoutBatch, Purse, Transfer
from api.ledger.providers import Provider, provider_of
from api.ledger.selectors import access_purse, visible_payouts
from api.ledger.services.purses import hold_of, require_currency, system_purse
from api.ledger.services.transfers import Move, transfer, transfer_many
from api.realtime import outbox


@transaction.atomic
def request_payout(
    *, purse_id: UUID, amount: int, currency: str, method: str, details: str, by: User, provider: str | None = None
) -> Payout:
    """Take `amount` (minor units, in the purse's currency) out of a purse and hold it until an operator
    has paid it.

    `details` says where to, such as an account number. Raises NotFound, NotAllowed when the owner does
    not let `by` spend, NotAPurse for a hold, TooSmall, InsufficientFunds.
    """
    purse = access_purse(by, purse_id)
    owners.require_may(by, purse.owner_id, "treasury.spend")
    if purse.kind != Purse.Kind.PURSE or purse.owner_id is None:
        raise NotAPurse
    require_currency(purse, currency)
    chosen = provider_of(provider)
    _require_payable(chosen, amount, purse.currency, method)
    identifier = uuid7()
    hold = hold_of(kind="payout", subject_id=identifier, owner_id=purse.owner_id, currency=purse.currency)
    payout = Payout.objects.create(
        id=identifier,
        purse=purse,
        hold=hold,
        provider=chosen.name,
        amount=amount,
        currency=purse.currency,
        method=method,
        details=details,
        by_id=by.id,
    )
    payout.refresh_from_db(fields=["created_at"])
    transfer(
        key=f"payout:{payout.id}",
        kind=Transfer.Kind.PAYOUT,
        lines=[(purse.id, -amount), (hold.id, amount)],
        by=by.id,
        subject=("payout", payout.id),
    )
    _publish("payout.requested", [payout])
    return payout


@transaction.atomic
def cancel_payout(*, payout_id: UUID, by: User) -> Payout:
    """Put the money of a payout that no operator has taken up back into the purse.

    Raises NotFound, NotAllowed, and WrongState unless it is waiting.
    """
    seen = visible_payouts(by).filter(id=payout_id).select_related("purse").first()
    if seen is None:
        raise NotFound
    owners.require_may(by, seen.purse.owner_id, "treasury.spend")
    (payout,) = _lock([payout_id])
    if payout.state != Payout.State.WAITING:
        raise WrongState(f"This payout is {payout.state} already.")
    _decide([payout], Payout.State.CANCELLED, by)
    _give_back([payout], Transfer.Kind.REFUND, by)
    _publish("payout.cancelled", [payout])
    return payout


@transaction.atomic
def gather_payouts(*, by: User, payout_ids: Collection[UUID] | None = None) -> list[PayoutBatch]:
    """Put waiting payouts (these, or all) into a batch for each provider. Those not waiting are left out.

    Raises NotAllowed for anyone but operators, WrongState when none is waiting.
    """
    _require_operator(by)
    rows = Payout.objects.filter(state=Payout.State.WAITING)
    if payout_ids is not None:
        rows = rows.filter(id__in=payout_ids)
    # A rival who gathers at the same time has locked them first; then they wait no more.
    payouts = list(rows.order_by("id").select_for_update(of=("self",)).select_related("purse"))
    if not payouts:
        raise WrongState("No payout is waiting.")
    of_provider: dict[str, list[Payout]] = defaultdict(list)
    for payout in payouts:
        of_provider[payout.provider].append(payout)
    batches = []
    for provider, members in sorted(of_provider.items()):
        batch = PayoutBatch.objects.create(provider=provider, by_id=by.id)
        Payout.objects.filter(id__in=[payout.id for payout in members]).update(state=Payout.State.BATCHED, batch=batch)
        batches.append(batch)
    _publish("payout.batched", payouts)
    return batches


@transaction.atomic
def mark_payouts_paid(*, payout_ids: Collection[UUID], by: User, reference: str = "") -> int:
    """The provider has paid these; the money leaves the ledger. Answers how many; those paid before do
    not count.

    `reference` is the bank's. Raises NotAllowed for anyone but operators, WrongState when one is not in
    a batch.
    """
    _require_operator(by)
    payouts = _in_batch(payout_ids, Payout.State.PAID)
    _decide(payouts, Payout.State.PAID, by, reference=reference)
    currencies = {payout.currency for payout in payouts}
    outside = {each: system_purse(kind=Purse.Kind.EXTERNAL, currency=each).id for each in sorted(currencies)}
    transfer_many(
        moves=[
            Move(
                key=f"payout_paid:{payout.id}",
                kind=Transfer.Kind.PAYOUT_PAID,
                lines=[(payout.hold_id, -payout.amount), (outside[payout.currency], payout.amount)],
                by=by.id,
                subject=("payout", payout.id),
            )
            for payout in payouts
        ]
    )
    _publish("payout.paid", payouts)
    return len(payouts)


@transaction.atomic
def mark_payouts_failed(*, payout_ids: Collection[UUID], by: User, reason: str) -> int:
    """The provider could not pay these; the money is back in the purses. Answers how many, as above.

    `reason` is shown to the owner. Raises NotAllowed for anyone but operators, WrongState when one is
    not in a batch.
    """
    _require_operator(by)
    payouts = _in_batch(payout_ids, Payout.State.FAILED)
    _decide(payouts, Payout.State.FAILED, by, failure=reason)
    _give_back(payouts, Transfer.Kind.PAYOUT_FAILED, by)
    _publish("payout.failed", payouts)
    return len(payouts)


def _require_operator(by: User) -> None:
    if not by.is_staff:
        raise NotAllowed


def _require_payable(provider: Provider, amount: int, currency: str, method: str) -> None:
    if method not in provider.methods:
        detail = f"The method is one of: {', '.join(provider.methods)}."
        raise Invalid(errors=[FieldError("destination.method", detail, "unknown_method")])
    if amount < (least := provider.min_payout(currency)):
        detail = f"The smallest payout is {shown(least, currency)}."
        raise TooSmall(detail, errors=[FieldError("amount.amount", detail, "too_small")])


def _lock(payout_ids: Collection[UUID]) -> list[Payout]:
    rows = Payout.objects.filter(id__in=payout_ids).order_by("id")
    found = list(rows.select_for_update(of=("self",)).select_related("purse"))
    if len(found) < len(set(payout_ids)):
        raise NotFound
    return found


def _in_batch(payout_ids: Collection[UUID], already: Payout.State) -> list[Payout]:
    """The payouts, locked, less those that are `already` there."""
    payouts = [payout for payout in _lock(payout_ids) if payout.state != already]
    for payout in payouts:
        if payout.state != Payout.State.BATCHED:
            raise WrongState(f"The payout {payout.id} is {payout.state}; only one in a batch is paid or fails.")
    return payouts


def _decide(
    payouts: Iterable[Payout], state: Payout.State, by: User, *, reference: str = "", failure: str = ""
) -> None:
    changed = {
        "state": state,
        "decided_at": timezone.now(),
        "decided_by_id": by.id,
        "reference": reference,
        "failure": failure,
    }
    for payout in payouts:
        for name, value in changed.items():
            setattr(payout, name, value)
    Payout.objects.filter(id__in=[payout.id for payout in payouts]).update(**changed)


def _give_back(payouts: Iterable[Payout], kind: Transfer.Kind, by: User) -> None:
    transfer_many(
        moves=[
            Move(
                key=f"payout_back:{payout.id}",
                kind=kind,
                lines=[(payout.hold_id, -payout.amount), (payout.purse_id, payout.amount)],
                by=by.id,
                subject=("payout", payout.id),
            )
            for payout in payouts
        ]
    )


def _publish(type_: str, payouts: Iterable[Payout]) -> None:
    outbox.publish_many(
        type_,
        (
            (
                payout.id,
                [payout.purse.owner_id] if payout.purse.owner_id else [],
                {"payout": str(payout.id), "purse": str(payout.purse_id)},
            )
            for payout in payouts
        ),
    )
