"""Money: a whole number of minor units and a currency. Never a float."""

import re
from typing import Any

from api.core.errors import FieldError, Invalid

# Largest amount one field may carry: far above any purse, far below the 8-byte integer that holds it.
MAX_AMOUNT = 10**15
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
# ISO 4217: the currencies whose minor unit is not a hundredth.
_WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_DECIMALS = dict.fromkeys(_WHOLE.split(), 0) | dict.fromkeys(_THOUSANDTHS.split(), 3)


def money(amount: int, currency: str) -> dict[str, Any]:
    """The API's form of an amount."""
    return {"amount": int(amount), "currency": currency}


def parse_money(value: Any, *, field: str, currency: str | None = None, minimum: int = 1) -> tuple[int, str]:
    """Read `{"amount": 15, "currency": "USD"}`; `currency`, when given, is the only one taken.

    Raises Invalid naming the field.
    """

    def refuse(part: str, detail: str) -> Invalid:
        return Invalid(errors=[FieldError(f"{field}{part}", detail)])

    if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
        raise refuse("", 'Write money as {"amount": 15, "currency": "USD"}, in minor units.')
    amount, code = value["amount"], value["currency"]
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise refuse(".amount", "The amount is a whole number of minor units (15 is $0.15).")
    if not minimum <= amount <= MAX_AMOUNT:
        raise refuse(".amount", f"The amount must lie between {minimum} and {MAX_AMOUNT}.")
    if not isinstance(code, str) or not _CURRENCY.match(code):
        raise refuse(".currency", "The currency is three capital letters, such as USD.")
    if currency is not None and code != currency:
        raise refuse(".currency", f"The currency here is {currency}.")
    return amount, code


def fee_of(amount: int, basis_points: int) -> int:
    """The fee on `amount`, rounded up to a whole minor unit, so that the hall is never short."""
    return -(-amount * basis_points // 10_000)


def shown(amount: int, currency: str) -> str:
    """An amount as people write it: `-12.34 USD`, `500 JPY`."""
    decimals = _DECIMALS.get(currency, 2)
    whole, part = divmod(abs(amount), 10**decimals)
    number = f"{whole}.{part:0{decimals}}" if decimals else str(whole)
    return f"{'-' if amount < 0 else ''}{number} {currency}"
