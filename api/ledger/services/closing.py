"""What the ledger does when an account closes."""

from django.db import transaction
from django.utils import timezone

from api.accounts.models import User
from api.core.money import money, shown
from api.ledger.errors import MoneyLeft, PayoutUnderWay
from api.ledger.models import Deposit, Payout, Purse, Transfer
from api.ledger.services.purses import system_purse
from api.ledger.services.transfers import Move, transfer_many


@transaction.atomic
def close_owner(user: User, forfeit: bool) -> None:
    """Refuse while the user's own purses hold money, or give it to the hall; erase where payouts went.

    Raises PayoutUnderWay, and MoneyLeft with `left`, what there is in each currency.
    """
    purses = Purse.objects.filter(owner_id=user.id, kind=Purse.Kind.PURSE).order_by("id").select_for_update(no_key=True)
    left = [purse for purse in purses if purse.balance]
    payouts = Payout.objects.filter(purse__owner_id=user.id)
    if payouts.filter(state__in=Payout.State.held()).exists():
        raise PayoutUnderWay
    if left and not forfeit:
        amounts = " and ".join(shown(purse.balance, purse.currency) for purse in left)
        message = f"There is {amounts} left in your purse. Pay it out first, or say that you give it up."
        raise MoneyLeft(message, left=[money(purse.balance, purse.currency) for purse in left])
    transfer_many(
        moves=[
            Move(
                key=f"forfeit:{purse.id}",
                kind=Transfer.Kind.FEE,
                lines=[
                    (purse.id, -purse.balance),
                    (system_purse(kind=Purse.Kind.FEES, currency=purse.currency).id, purse.balance),
                ],
                memo="given up when the account was closed",
                by=user.id,
            )
            for purse in left
        ]
    )
    payouts.update(details="")
    deposits = Deposit.objects.filter(purse__owner_id=user.id)
    deposits.filter(state=Deposit.State.WAITING).update(
        state=Deposit.State.CANCELLED, decided_at=timezone.now(), decided_by_id=user.id
    )
    deposits.update(reference="")
