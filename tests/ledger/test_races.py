"""Money under real concurrency: threads with connections of their own."""

from functools import partial
from uuid import uuid4

from api.ledger import services as ledger
from api.ledger.errors import InsufficientFunds, KeyReused
from api.ledger.models import Purse, Transfer
from api.ledger.services import Move
from tests.factories import make_user
from tests.ledger.conftest import deposit

FUND = Transfer.Kind.FUND


def new_purse(amount: int = 0) -> Purse:
    made = ledger.purse_of(owner_id=uuid4(), currency="USD")
    if amount:
        deposit(made, amount)
    return made


def balances(*purses: Purse) -> list[int]:
    found = dict(Purse.objects.values_list("id", "balance"))
    return [found[purse.id] for purse in purses]


def move(key: str, one: Purse, other: Purse, amount: int) -> Transfer:
    return ledger.transfer(key=key, kind=FUND, lines=[(one.id, -amount), (other.id, amount)])


def test_two_cannot_spend_the_same_money(together):
    ana, ben, eve = new_purse(100), new_purse(), new_purse()
    results = together(lambda: move("one", ana, ben, 80), lambda: move("two", ana, eve, 80))
    assert sorted(type(result).__name__ for result in results) == ["InsufficientFunds", "Transfer"]
    assert balances(ana) == [20]
    assert sum(balances(ben, eve)) == 80


def test_sixteen_spend_what_ten_can(together):
    ana, ben = new_purse(100), new_purse()
    results = together(*[partial(move, f"k{n}", ana, ben, 10) for n in range(16)])
    assert sum(isinstance(result, Transfer) for result in results) == 10
    assert sum(isinstance(result, InsufficientFunds) for result in results) == 6
    assert balances(ana, ben) == [0, 100]


def test_the_same_key_at_the_same_time_moves_once(together):
    ana, ben = new_purse(1000), new_purse()
    results = together(*[partial(move, "same", ana, ben, 10) for _ in range(8)])
    assert len({result.id for result in results}) == 1
    assert balances(ana, ben) == [990, 10]


def test_the_same_key_for_different_things_at_the_same_time_moves_one_of_them(together):
    ana, ben, eve, joe = new_purse(100), new_purse(), new_purse(100), new_purse()
    results = together(lambda: move("same", ana, ben, 10), lambda: move("same", eve, joe, 10))
    assert sorted(type(result).__name__ for result in results) == [KeyReused.__name__, "Transfer"]
    assert sum(balances(ben, joe)) == 10


def test_opposite_transfers_do_not_deadlock(together):
    ana, ben = new_purse(10_000), new_purse(10_000)

    def back_and_forth(name: str, one: Purse, other: Purse) -> int:
        for n in range(40):
            move(f"{name}:{n}", one, other, 1)
        return 40

    results = together(
        partial(back_and_forth, "a", ana, ben),
        partial(back_and_forth, "b", ben, ana),
        partial(back_and_forth, "c", ana, ben),
        partial(back_and_forth, "d", ben, ana),
    )
    assert results == [40] * 4
    assert balances(ana, ben) == [10_000, 10_000]


def test_overlapping_batches_do_not_deadlock_and_move_each_key_once(together):
    escrow = new_purse(100_000)
    workers = [new_purse() for _ in range(20)]
    moves = [Move(f"k{n}", FUND, [(escrow.id, -1), (workers[n % 20].id, 1)]) for n in range(400)]
    calls = [moves, moves[::-1], moves[100:300], moves[::3]]
    results = together(*[partial(ledger.transfer_many, moves=call) for call in calls])
    assert [len(result) for result in results] == [len(call) for call in calls]
    assert balances(escrow) == [99_600]
    assert balances(*workers) == [20] * 20


def test_a_purse_asked_for_by_many_at_once_is_opened_once(together):
    owner, others = uuid4(), [uuid4() for _ in range(30)]
    purses = together(*[lambda: ledger.purse_of(owner_id=owner, currency="USD")] * 8)
    assert len({purse.id for purse in purses}) == 1
    found = together(*[lambda: ledger.purses_of(owner_ids=[*others, owner], currency="USD")] * 8)
    assert all(each == found[0] for each in found)
    assert set(found[0]) == {*others, owner}


def test_a_deposit_confirmed_by_two_operators_arrives_once(together):
    ana, operator = make_user("Ana"), make_user("Op", is_staff=True)
    purse = ledger.purse_of(owner_id=ana.id, currency="USD")
    made = ledger.request_deposit(purse_id=purse.id, amount=500, currency="USD", by=ana)
    results = together(*[lambda: ledger.confirm_deposit(deposit_id=made.id, by=operator)] * 4)
    assert [result.state for result in results] == ["confirmed"] * 4
    assert balances(purse) == [500]


def test_a_payout_is_either_cancelled_or_paid(together):
    ana, operator = make_user("Ana"), make_user("Op", is_staff=True)
    purse = ledger.purse_of(owner_id=ana.id, currency="USD")
    deposit(purse, 10_000)
    for _ in range(5):
        made = ledger.request_payout(purse_id=purse.id, amount=1000, currency="USD", method="bank", details="x", by=ana)
        before = balances(purse)[0]

        def pay(payout_id=made.id) -> str:
            ledger.gather_payouts(by=operator, payout_ids=[payout_id])
            ledger.mark_payouts_paid(payout_ids=[payout_id], by=operator)
            return "paid"

        results = together(pay, lambda payout_id=made.id: ledger.cancel_payout(payout_id=payout_id, by=ana).state)
        won = [result for result in results if isinstance(result, str)]
        assert len(won) == 1, results
        assert balances(purse)[0] - before == (1000 if won == ["cancelled"] else 0)
