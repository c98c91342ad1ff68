"""Transfers: what moves, what is refused, and what a repeated call does."""

from uuid import uuid4

import pytest

from api.ledger import services as ledger
from api.ledger.errors import InsufficientFunds, KeyReused
from api.ledger.models import Entry, Purse, Transfer
from api.ledger.services import Move

FUND = Transfer.Kind.FUND


def balances(*purses: Purse) -> list[int]:
    for purse in purses:
        purse.refresh_from_db()
    return [purse.balance for purse in purses]


def test_a_transfer_moves_money_and_says_why(purse):
    ana, ben = purse(500), purse()
    by, subject = uuid4(), uuid4()
    made = ledger.transfer(
        key="bonus:1",
        kind=Transfer.Kind.BONUS,
        lines=[(ana.id, -120), (ben.id, 120)],
        memo="well done",
        by=by,
        subject=("assignment", subject),
    )
    assert balances(ana, ben) == [380, 120]
    assert (made.key, made.kind, made.memo, made.by_id) == ("bonus:1", "bonus", "well done", by)
    assert (made.subject_kind, made.subject_id) == ("assignment", subject)
    assert {(e.purse_id, e.amount, e.balance_after, e.currency) for e in made.entries.all()} == {
        (ana.id, -120, 380, "USD"),
        (ben.id, 120, 120, "USD"),
    }


def test_lines_of_one_purse_are_added_up_and_lines_of_nothing_left_out(purse):
    ana, ben, fees = purse(500), purse(), purse()
    made = ledger.transfer(key="k", kind=FUND, lines=[(ana.id, -100), (ana.id, -20), (ben.id, 120), (fees.id, 0)])
    assert balances(ana, ben) == [380, 120]
    assert made.entries.count() == 2


def test_a_long_memo_is_shortened(purse):
    ana, ben = purse(500), purse()
    made = ledger.transfer(key="k", kind=FUND, lines=[(ana.id, -1), (ben.id, 1)], memo="ü" * 201)
    assert made.memo == "ü" * 199 + "…"


def test_a_purse_never_goes_below_zero(purse):
    ana, ben = purse(100), purse()
    with pytest.raises(InsufficientFunds) as caught:
        ledger.transfer(key="k", kind=FUND, lines=[(ana.id, -130), (ben.id, 130)])
    assert caught.value.extra == {"missing": {"amount": 30, "currency": "USD"}}
    assert balances(ana, ben) == [100, 0]
    assert not Transfer.objects.filter(key="k").exists()


def test_what_is_missing_counts_all_transfers_of_the_call(purse):
    ana, ben = purse(100), purse()
    moves = [Move(f"k{n}", FUND, [(ana.id, -60), (ben.id, 60)]) for n in range(3)]
    with pytest.raises(InsufficientFunds) as caught:
        ledger.transfer_many(moves=moves)
    assert caught.value.missing == 80


def test_money_must_be_there_when_its_turn_comes(purse):
    ana, ben, eve = purse(100), purse(), purse()
    spend = Move("spend", FUND, [(ben.id, -50), (eve.id, 50)])
    earn = Move("earn", FUND, [(ana.id, -50), (ben.id, 50)])
    with pytest.raises(InsufficientFunds):
        ledger.transfer_many(moves=[spend, earn])
    ledger.transfer_many(moves=[earn, spend])
    assert balances(ana, ben, eve) == [50, 0, 50]


def test_the_same_key_moves_nothing_twice(purse):
    ana, ben = purse(500), purse()
    call = {"key": "fund:1", "kind": FUND, "lines": [(ana.id, -120), (ben.id, 120)]}
    first = ledger.transfer(**call)
    assert ledger.transfer(**{**call, "lines": [(ben.id, 120), (ana.id, -120)]}) == first
    assert balances(ana, ben) == [380, 120]


@pytest.mark.parametrize("change", ["amount", "kind", "purse"])
def test_the_same_key_for_something_else_is_refused(purse, change):
    ana, ben, eve = purse(500), purse(), purse()
    ledger.transfer(key="fund:1", kind=FUND, lines=[(ana.id, -120), (ben.id, 120)])
    amount = 121 if change == "amount" else 120
    kind = Transfer.Kind.REFUND if change == "kind" else FUND
    other = eve if change == "purse" else ben
    with pytest.raises(KeyReused):
        ledger.transfer(key="fund:1", kind=kind, lines=[(ana.id, -amount), (other.id, amount)])
    assert balances(ana, ben, eve) == [380, 120, 0]


def test_a_key_twice_in_one_call_moves_once(purse):
    ana, ben = purse(500), purse()
    move = Move("k", FUND, [(ana.id, -100), (ben.id, 100)])
    one, two, three = ledger.transfer_many(moves=[move, Move("other", FUND, move.lines), move])
    assert one == three != two
    assert balances(ana, ben) == [300, 200]
    with pytest.raises(KeyReused):
        ledger.transfer_many(moves=[Move("n", FUND, move.lines), Move("n", Transfer.Kind.FEE, move.lines)])


def test_a_call_with_old_and_new_keys_makes_the_new_ones(purse):
    ana, ben = purse(500), purse()
    old = Move("old", FUND, [(ana.id, -100), (ben.id, 100)])
    (first,) = ledger.transfer_many(moves=[old])
    again, new = ledger.transfer_many(moves=[old, Move("new", FUND, [(ana.id, -1), (ben.id, 1)])])
    assert again == first != new
    assert balances(ana, ben) == [399, 101]


def test_lines_that_do_not_balance_are_a_mistake_of_the_caller(purse):
    ana, ben, euros = purse(500), purse(), purse(500, "EUR")
    for lines in (
        [(ana.id, -1), (ben.id, 2)],
        [(ana.id, -1), (euros.id, 1)],
        [(ana.id, -1), (ana.id, 1)],
        [(ana.id, 0), (ben.id, 0)],
        [(ana.id, -1), (uuid4(), 1)],
        [],
    ):
        with pytest.raises(ValueError, match=r"transfer|purse"):
            ledger.transfer(key="k", kind=FUND, lines=lines)
    assert balances(ana, ben, euros) == [500, 0, 500]


def test_one_transfer_may_carry_several_currencies(purse):
    dollars, euros, more_dollars, more_euros = purse(5), purse(7, "EUR"), purse(), purse(0, "EUR")
    lines = [(dollars.id, -5), (euros.id, -7), (more_dollars.id, 5), (more_euros.id, 7)]
    ledger.transfer(key="k", kind=FUND, lines=lines)
    assert balances(dollars, euros, more_dollars, more_euros) == [0, 0, 5, 7]


def test_ten_thousand_transfers_take_as_many_statements_as_one(purse, django_assert_num_queries):
    escrow = purse(100_000)
    workers = [uuid4() for _ in range(1000)]
    with django_assert_num_queries(3):
        purses = ledger.purses_of(owner_ids=workers, currency="USD")
    moves = [
        Move(f"accept:{n}", Transfer.Kind.ACCEPT, [(escrow.id, -7), (purses[workers[n % 1000]], 7)])
        for n in range(10_000)
    ]
    # Savepoint and its release are two of them.
    with django_assert_num_queries(5):
        made = ledger.transfer_many(moves=moves)
    assert len(set(made)) == 10_000
    escrow.refresh_from_db()
    assert escrow.balance == 30_000
    assert set(Purse.objects.filter(id__in=purses.values()).values_list("balance", flat=True)) == {70}
    assert Entry.objects.filter(purse=escrow).order_by("id").last().balance_after == 30_000
    with django_assert_num_queries(6):
        assert ledger.transfer_many(moves=moves) == made


def test_no_moves_is_no_work(db, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert ledger.transfer_many(moves=[]) == []
