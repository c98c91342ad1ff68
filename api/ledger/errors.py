"""The cases of money that a caller must tell apart."""

from api.core.errors import Conflict, Invalid
from api.core.money import money


class InsufficientFunds(Conflict):
    """`extra["missing"]` is how much more the purse would need, as the API writes money."""

    code = "insufficient_funds"
    message = "There is not enough money in this purse. Deposit what is missing, or spend less."

    def __init__(self, missing: int, currency: str) -> None:
        super().__init__(missing=money(missing, currency))
        self.missing = missing
        self.currency = currency


class KeyReused(Conflict):
    code = "key_reused"
    message = "A transfer with this key has been made already, and moved something else."


class WrongState(Conflict):
    code = "wrong_state"
    message = "This has been decided already."


class NotAPurse(Conflict):
    code = "held"
    message = "Money that is held for something cannot be deposited into or paid out; use the owner's purse."


class TooSmall(Invalid):
    code = "too_small"
    message = "This is less than the smallest payout."


class MoneyLeft(Conflict):
    code = "money_left"
    message = "There is money left in your purse. Pay it out first, or say that you give it up."


class PayoutUnderWay(Conflict):
    code = "payout_under_way"
    message = "A payout of yours is under way. Wait until it is paid, or cancel it."
