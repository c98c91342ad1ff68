"""Random transfers against a ledger of ten lines: whatever is tried, the books stay right."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.ledger import services as ledger
from api.ledger.errors import InsufficientFunds, KeyReused
from api.ledger.models import Entry, Purse, Transfer
from api.ledger.services import Move
from tests.ledger.conftest import deposit

PURSES = 4
lines = st.lists(
    st.tuples(st.integers(0, PURSES - 1), st.integers(0, PURSES - 1), st.integers(0, 60)), min_size=1, max_size=3
)
moves = st.tuples(st.integers(0, 12), lines)
calls = st.lists(st.lists(moves, min_size=1, max_size=4), min_size=1, max_size=6)


class Model:
    """The same rules, written plainly: balances, and what each key moved."""

    def __init__(self) -> None:
        self.balances = [100] * PURSES
        self.moved: dict[int, dict[int, int]] = {}

    def call(self, batch: list[tuple[int, list[tuple[int, int, int]]]]) -> type[Exception] | None:
        """What the call should raise, or None when it moves."""
        merged = [(key, _amounts(pairs)) for key, pairs in batch]
        if any(len(amounts) < 2 for _, amounts in merged):
            return ValueError
        balances, moved = list(self.balances), dict(self.moved)
        short = False
        for key, amounts in merged:
            if key in moved:
                if moved[key] != amounts:
                    return KeyReused
                continue
            moved[key] = amounts
            for place, amount in amounts.items():
                balances[place] += amount
            short = short or min(balances) < 0
        if short:
            return InsufficientFunds
        self.balances, self.moved = balances, moved
        return None


def _amounts(pairs: list[tuple[int, int, int]]) -> dict[int, int]:
    amounts: dict[int, int] = {}
    for one, other, amount in pairs:
        amounts[one] = amounts.get(one, 0) - amount
        amounts[other] = amounts.get(other, 0) + amount
    return {place: amount for place, amount in amounts.items() if amount}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls)
def test_the_ledger_agrees_with_its_model(db, batches):
    model, run = Model(), uuid4()
    purses = [ledger.purse_of(owner_id=uuid4(), currency="USD") for _ in range(PURSES)]
    for purse in purses:
        deposit(purse, 100)
    for batch in batches:
        asked = [
            Move(
                f"{run}:{key}",
                Transfer.Kind.FUND,
                [(purses[a].id, -amount) for a, _, amount in pairs]
                + [(purses[b].id, amount) for _, b, amount in pairs],
            )
            for key, pairs in batch
        ]
        expected = model.call(batch)
        if expected:
            with pytest.raises(expected):
                ledger.transfer_many(moves=asked)
        else:
            assert len(ledger.transfer_many(moves=asked)) == len(batch)
        balances = dict(Purse.objects.filter(id__in=[purse.id for purse in purses]).values_list("id", "balance"))
        assert [balances[purse.id] for purse in purses] == model.balances
    assert Transfer.objects.filter(key__startswith=str(run)).count() == len(model.moved)
    for purse in purses:
        running = 0
        for amount, after in Entry.objects.filter(purse=purse).order_by("id").values_list("amount", "balance_after"):
            running += amount
            assert running == after >= 0
    call_command("audit_ledger", stdout=StringIO())
