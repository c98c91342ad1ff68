"""How money comes in and goes out. A provider is a class named in `settings.PAYMENT_PROVIDERS`; the
first is the default.
"""

from functools import lru_cache
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from api.core.errors import FieldError, Invalid
from api.core.money import shown
from api.ledger.models import Deposit


class Provider(Protocol):
    """`name` is stored with every deposit and payout, so it never changes."""

    name: str
    methods: tuple[str, ...]
    """How it can pay out; the first is the default."""
    instant: bool
    """Whether a deposit is in the purse as soon as it is asked for."""

    def introduction(self) -> str:
        """How deposits work here, said before one is asked for. Plain text."""

    def deposit_instructions(self, deposit: Deposit) -> str:
        """How to pay this deposit. Plain text."""

    def min_payout(self, currency: str) -> int:
        """The smallest payout, in minor units."""


class Manual:
    """People move the money: an operator confirms deposits, and pays payouts out in batches, in the admin."""

    name = "manual"
    methods = ("bank", "paypal", "other")
    instant = False

    def introduction(self) -> str:
        return str(settings.DEPOSIT_INSTRUCTIONS)

    def deposit_instructions(self, deposit: Deposit) -> str:
        amount = shown(deposit.amount, deposit.currency)
        return f"{self.introduction()}\nAmount: {amount}\nWrite on the payment: {deposit.code}"

    def min_payout(self, currency: str) -> int:
        return int(settings.MIN_PAYOUT)


class Play(Manual):
    """Play money for trying things out on one's own machine: a deposit arrives at once, from nobody."""

    name = "play"
    instant = True

    def __init__(self) -> None:
        if not settings.LOCAL:
            raise ImproperlyConfigured("Play money is for local installations. Change PAYMENT_PROVIDERS.")

    def introduction(self) -> str:
        return "This installation runs on your own machine and uses play money: whatever you deposit arrives at once."


@lru_cache(maxsize=1)
def _all() -> dict[str, Provider]:
    made = [import_string(path)() for path in settings.PAYMENT_PROVIDERS]
    return {provider.name: provider for provider in made}


def all_providers() -> list[Provider]:
    return list(_all().values())


def provider_of(name: str | None = None) -> Provider:
    """The provider of that name, or the default one. Raises Invalid naming the field `provider`."""
    if name is None:
        return all_providers()[0]
    if name not in _all():
        detail = f"There is no provider {name!r}. There are: {', '.join(_all())}."
        raise Invalid(errors=[FieldError("provider", detail, "unknown_provider")])
    return _all()[name]
