"""Purses with money in them."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from api.ledger import services as ledger
from api.ledger.models import Purse, Transfer


def deposit(purse: Purse, amount: int) -> None:
    """Put money from outside into a purse."""
    outside = ledger.system_purse(kind=Purse.Kind.EXTERNAL, currency=purse.currency)
    ledger.transfer(
        key=f"test:{uuid4()}",
        kind=Transfer.Kind.DEPOSIT,
        lines=[(outside.id, -amount), (purse.id, amount)],
    )


@pytest.fixture
def purse(db: None) -> Callable[..., Purse]:
    """`purse(500)`: a purse with 5.00 USD of an owner of its own."""

    def make(amount: int = 0, currency: str = "USD", owner_id: UUID | None = None) -> Purse:
        made = ledger.purse_of(owner_id=owner_id or uuid4(), currency=currency)
        if amount:
            deposit(made, amount)
            made.refresh_from_db()
        return made

    return make


@pytest.fixture
def ana(make_user):
    return make_user("Ana")


@pytest.fixture
def purse_of_ana(ana):
    found = ledger.purse_of(owner_id=ana.id, currency="USD")
    deposit(found, 10_000)
    return found
