"""Everything that moves money."""

from api.ledger.services.closing import close_owner
from api.ledger.services.deposits import cancel_deposit, confirm_deposit, give_up_deposit, request_deposit
from api.ledger.services.payouts import (
    cancel_payout,
    gather_payouts,
    mark_payouts_failed,
    mark_payouts_paid,
    request_payout,
)
from api.ledger.services.purses import hold_of, open_purses, purse_of, purses_of, system_purse
from api.ledger.services.transfers import Move, transfer, transfer_many

__all__ = [
    "Move",
    "cancel_deposit",
    "cancel_payout",
    "close_owner",
    "confirm_deposit",
    "gather_payouts",
    "give_up_deposit",
    "hold_of",
    "mark_payouts_failed",
    "mark_payouts_paid",
    "open_purses",
    "purse_of",
    "purses_of",
    "request_deposit",
    "request_payout",
    "system_purse",
    "transfer",
    "transfer_many",
]
