"""What owners of purses are told: what became of their deposits and payouts."""

from collections.abc import Iterator, Sequence

from api.ledger.models import Deposit, Payout
from api.realtime import notices
from api.realtime.cursor import Seen
from api.realtime.notices import Notice


def of_payouts(events: Sequence[Seen]) -> Iterator[Notice]:
    found = Payout.objects.select_related("purse").in_bulk({event.subject_id for event in events})
    for event in events:
        payout = found[event.subject_id]
        if payout.purse.owner_id is not None:
            yield Notice(
                payout.purse.owner_id,
                event.type,
                payout.id,
                {"purse": str(payout.purse_id), "method": payout.method, "failure": payout.failure},
                amount=payout.amount,
                currency=payout.currency,
            )


def of_deposits(events: Sequence[Seen]) -> Iterator[Notice]:
    found = Deposit.objects.select_related("purse").in_bulk({event.subject_id for event in events})
    for event in events:
        deposit = found[event.subject_id]
        if deposit.purse.owner_id is not None:
            yield Notice(
                deposit.purse.owner_id,
                event.type,
                deposit.id,
                {"purse": str(deposit.purse_id), "code": deposit.code},
                amount=deposit.amount,
                currency=deposit.currency,
                but_not=deposit.decided_by_id,
            )


def register() -> None:
    notices.register("ledger.payouts", ["payout.paid", "payout.failed"], of_payouts)
    notices.register("ledger.deposits", ["deposit.confirmed", "deposit.cancelled"], of_deposits)
