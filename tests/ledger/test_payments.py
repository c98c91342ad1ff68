"""Deposits and payouts: what operators do with them."""

from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured

from api.accounts import closing, exports
from api.core.errors import NotAllowed, NotFound
from api.ledger import providers
from api.ledger import services as ledger
from api.ledger.errors import MoneyLeft, PayoutUnderWay, WrongState
from api.ledger.models import Deposit, Payout, PayoutBatch, Purse
from api.realtime.models import Event


@pytest.fixture
def operator(make_user):
    return make_user("Op", is_staff=True)


@pytest.fixture
def payout(ana, purse_of_ana):
    def make(amount: int = 1000) -> Payout:
        return ledger.request_payout(
            purse_id=purse_of_ana.id, amount=amount, currency="USD", method="bank", details="DE02", by=ana
        )

    return make


def balance(purse: Purse) -> int:
    purse.refresh_from_db()
    return purse.balance


def events() -> list[str]:
    return list(Event.objects.order_by("id").values_list("type", flat=True))


def test_only_an_operator_confirms_a_deposit(ana, purse_of_ana):
    made = ledger.request_deposit(purse_id=purse_of_ana.id, amount=5, currency="USD", by=ana)
    with pytest.raises(NotAllowed):
        ledger.confirm_deposit(deposit_id=made.id, by=ana)
    assert balance(purse_of_ana) == 10_000


def test_a_cancelled_deposit_is_not_confirmed(ana, operator, purse_of_ana):
    made = ledger.request_deposit(purse_id=purse_of_ana.id, amount=5, currency="USD", by=ana)
    with pytest.raises(NotAllowed):
        ledger.give_up_deposit(deposit_id=made.id, by=ana)
    ledger.give_up_deposit(deposit_id=made.id, by=operator)
    with pytest.raises(WrongState):
        ledger.confirm_deposit(deposit_id=made.id, by=operator)
    with pytest.raises(NotFound):
        ledger.confirm_deposit(deposit_id=uuid4(), by=operator)
    assert balance(purse_of_ana) == 10_000


def test_a_deposit_is_told_to_the_members_of_its_owner(ana, operator, purse_of_ana):
    made = ledger.request_deposit(purse_id=purse_of_ana.id, amount=5, currency="USD", by=ana, reference="secret")
    ledger.confirm_deposit(deposit_id=made.id, by=operator)
    assert events() == ["deposit.requested", "deposit.confirmed"]
    told = Event.objects.get(type="deposit.confirmed")
    assert (told.subject_id, told.audience) == (made.id, [ana.id])
    assert "secret" not in str(told.data)


def test_payouts_are_gathered_paid_and_leave_the_books(operator, payout, purse_of_ana):
    one, two = payout(1000), payout(2000)
    (batch,) = ledger.gather_payouts(by=operator)
    assert set(batch.payouts.values_list("id", "state")) == {(one.id, "batched"), (two.id, "batched")}
    assert ledger.mark_payouts_paid(payout_ids=[one.id, two.id], by=operator, reference="wire 9") == 2
    assert ledger.mark_payouts_paid(payout_ids=[one.id], by=operator) == 0
    one.refresh_from_db()
    assert (one.state, one.reference, one.decided_by_id) == ("paid", "wire 9", operator.id)
    assert (balance(purse_of_ana), balance(one.hold), balance(two.hold)) == (7000, 0, 0)
    assert balance(ledger.system_purse(kind=Purse.Kind.EXTERNAL, currency="USD")) == -7000
    assert events()[-2:] == ["payout.paid", "payout.paid"]


def test_a_failed_payout_gives_the_money_back(operator, payout, purse_of_ana):
    one, two = payout(1000), payout(2000)
    ledger.gather_payouts(by=operator)
    assert ledger.mark_payouts_failed(payout_ids=[one.id], by=operator, reason="No such account.") == 1
    assert ledger.mark_payouts_failed(payout_ids=[one.id], by=operator, reason="Again.") == 0
    one.refresh_from_db()
    assert (one.state, one.failure) == ("failed", "No such account.")
    assert (balance(purse_of_ana), balance(one.hold), balance(two.hold)) == (8000, 0, 2000)


def test_what_is_decided_stays_decided(operator, ana, payout, purse_of_ana):
    one, two, three = payout(), payout(), payout()
    for call in (
        lambda: ledger.mark_payouts_paid(payout_ids=[one.id], by=operator),
        lambda: ledger.mark_payouts_failed(payout_ids=[one.id], by=operator, reason="x"),
    ):
        with pytest.raises(WrongState, match="only one in a batch"):
            call()
    ledger.gather_payouts(by=operator, payout_ids=[one.id, two.id])
    with pytest.raises(WrongState):
        ledger.cancel_payout(payout_id=one.id, by=ana)
    ledger.mark_payouts_paid(payout_ids=[one.id], by=operator)
    with pytest.raises(WrongState):
        ledger.mark_payouts_failed(payout_ids=[two.id, one.id], by=operator, reason="x")
    ledger.mark_payouts_failed(payout_ids=[two.id], by=operator, reason="x")
    with pytest.raises(WrongState):
        ledger.mark_payouts_paid(payout_ids=[two.id], by=operator)
    with pytest.raises(NotFound):
        ledger.mark_payouts_paid(payout_ids=[uuid4()], by=operator)
    ledger.cancel_payout(payout_id=three.id, by=ana)
    with pytest.raises(WrongState, match="No payout is waiting"):
        ledger.gather_payouts(by=operator)
    assert balance(purse_of_ana) == 9000


def test_only_operators_settle_payouts(ana, payout):
    one = payout()
    for call in (
        lambda: ledger.gather_payouts(by=ana),
        lambda: ledger.mark_payouts_paid(payout_ids=[one.id], by=ana),
        lambda: ledger.mark_payouts_failed(payout_ids=[one.id], by=ana, reason="x"),
    ):
        with pytest.raises(NotAllowed):
            call()
    assert not PayoutBatch.objects.exists()


def test_an_operator_cannot_spend_what_is_not_theirs(operator, payout):
    with pytest.raises(NotFound):
        ledger.cancel_payout(payout_id=payout().id, by=operator)


def close(user, forfeit: bool) -> None:
    for step in closing.steps():
        if step is ledger.close_owner:
            return step(user, forfeit)
    raise AssertionError("the ledger has no part in closing an account")


def test_an_account_with_money_is_not_closed(ana, purse_of_ana):
    with pytest.raises(MoneyLeft, match=r"100\.00 USD") as caught:
        close(ana, False)
    assert caught.value.extra == {"left": [{"amount": 10_000, "currency": "USD"}]}
    assert balance(purse_of_ana) == 10_000


def test_money_given_up_goes_to_the_hall_and_what_is_personal_is_erased(ana, operator, payout, purse_of_ana):
    paid = payout()
    ledger.gather_payouts(by=operator)
    ledger.mark_payouts_paid(payout_ids=[paid.id], by=operator)
    waiting = ledger.request_deposit(purse_id=purse_of_ana.id, amount=5, currency="USD", by=ana, reference="Ana, 4b")
    close(ana, True)
    assert balance(purse_of_ana) == 0
    assert balance(ledger.system_purse(kind=Purse.Kind.FEES, currency="USD")) == 9000
    paid.refresh_from_db()
    waiting.refresh_from_db()
    assert (paid.details, paid.state, paid.amount) == ("", "paid", 1000)
    assert (waiting.reference, waiting.state) == ("", "cancelled")


def test_an_account_with_a_payout_under_way_is_not_closed(ana, payout):
    payout(10_000)
    with pytest.raises(PayoutUnderWay):
        close(ana, True)


def test_an_account_without_money_is_closed_at_once(make_user):
    close(make_user("New"), False)


def test_own_data_holds_every_entry_deposit_and_payout_and_nobody_elses(ana, make_user, payout, purse_of_ana, purse):
    purse(77)
    one = payout()
    ledger.request_deposit(purse_id=purse_of_ana.id, amount=5, currency="USD", by=ana)
    parts = exports.parts()
    assert [row["amount"] for row in parts["ledger_entries"](ana)] == [10_000, -1000]
    assert [row["kind"] for row in parts["ledger_entries"](ana)] == ["deposit", "payout"]
    assert [row["id"] for row in parts["payouts"](ana)] == [one.id]
    assert [row["amount"] for row in parts["deposits"](ana)] == [5]
    stranger = make_user("Eve")
    assert [list(parts[name](stranger)) for name in ("ledger_entries", "deposits", "payouts")] == [[], [], []]


def test_nobody_may_use_money_when_nobody_knows_the_owners(ana, purse_of_ana, monkeypatch):
    from api.ledger import owners, selectors

    monkeypatch.setattr(owners, "_registered", [owners._NOBODY])
    assert not selectors.visible_purses(ana).exists()
    with pytest.raises(NotAllowed):
        owners.require_may(ana, ana.id, "treasury.spend")
    assert not Deposit.objects.exists()


def test_play_money_arrives_at_once_and_only_on_ones_own_machine(settings, make_user):
    settings.PAYMENT_PROVIDERS = ["api.ledger.providers.Play", "api.ledger.providers.Manual"]
    providers._all.cache_clear()
    user = make_user("Ana")
    purse = ledger.purse_of(owner_id=user.id, currency="USD")
    deposit = ledger.request_deposit(purse_id=purse.id, amount=500, currency="USD", by=user)
    purse.refresh_from_db()
    assert (deposit.state, deposit.provider, purse.balance) == ("confirmed", "play", 500)
    settings.LOCAL = False
    providers._all.cache_clear()
    with pytest.raises(ImproperlyConfigured):
        providers.all_providers()
    providers._all.cache_clear()
