"""Operators in the admin: reading money, confirming deposits, settling payouts."""

import csv
import io

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.test import Client

from api.ledger import services as ledger
from api.ledger.models import Deposit, Payout, PayoutBatch, Purse


@pytest.fixture
def ana(make_user):
    return make_user("=Ana")


@pytest.fixture
def operator(make_user) -> Client:
    client = Client()
    client.force_login(make_user("Op", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def payouts(ana, purse_of_ana) -> list[Payout]:
    return [
        ledger.request_payout(
            purse_id=purse_of_ana.id, amount=amount, currency="USD", method="bank", details=details, by=ana
        )
        for amount, details in ((1000, "=cmd|'x'"), (2050, "DE02, Ana"))
    ]


def act(client: Client, model: str, action: str, rows, **fields) -> str:
    """Choose an action for rows; the page that comes of it."""
    response = client.post(
        f"/admin/ledger/{model}/",
        {"action": action, "_selected_action": [str(row.pk) for row in rows], **fields},
        follow=True,
    )
    assert response.status_code == 200
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return response.content.decode()


@pytest.mark.parametrize("model", ["purse", "transfer", "entry", "deposit", "payout", "payoutbatch"])
def test_every_list_and_search_opens(operator, payouts, ana, model):
    ledger.request_deposit(purse_id=payouts[0].purse_id, amount=5, currency="USD", by=ana)
    for query in ("", "?q=nothing", f"?q={payouts[0].purse_id}"):
        assert operator.get(f"/admin/ledger/{model}/{query}").status_code == 200, query


@pytest.mark.parametrize("model", ["purse", "transfer", "entry", "deposit", "payout", "payoutbatch"])
def test_money_is_read_and_not_written(operator, payouts, ana, make_user, model):
    ledger.request_deposit(purse_id=payouts[0].purse_id, amount=5, currency="USD", by=ana)
    ledger.gather_payouts(by=make_user("Op", is_staff=True))
    path = f"/admin/ledger/{model}/"
    row = apps.get_model("ledger", model).objects.first()
    assert operator.get(f"{path}{row.pk}/change/").status_code == 200
    assert operator.post(f"{path}{row.pk}/change/", {"balance": 9, "amount": 9, "state": "paid"}).status_code == 403
    assert operator.post(f"{path}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert operator.get(f"{path}add/").status_code == 403
    assert "delete_selected" not in operator.get(path).content.decode()


def test_lists_take_the_same_queries_however_many_rows(operator, purse_of_ana, ana, django_assert_max_num_queries):
    for _ in range(10):
        ledger.request_payout(purse_id=purse_of_ana.id, amount=100, currency="USD", method="bank", details="x", by=ana)
    for model in ("purse", "transfer", "entry", "payout"):
        with django_assert_max_num_queries(12):
            operator.get(f"/admin/ledger/{model}/")


def test_a_deposit_is_confirmed_after_a_question(operator, ana, purse_of_ana):
    made = ledger.request_deposit(purse_id=purse_of_ana.id, amount=700, currency="USD", by=ana)
    asked = act(operator, "deposit", "confirm", [made])
    assert "Has this money arrived?" in asked
    assert made.code in asked
    assert Deposit.objects.get().state == "waiting"
    assert "Done for 1." in act(operator, "deposit", "confirm", [made], confirmed="Yes")
    purse_of_ana.refresh_from_db()
    assert purse_of_ana.balance == 10_700
    refused = act(operator, "deposit", "cancel", [made], confirmed="Yes")
    assert "This deposit is confirmed already." in refused


def test_a_deposit_that_will_not_come_is_cancelled(operator, ana, purse_of_ana):
    made = ledger.request_deposit(purse_id=purse_of_ana.id, amount=700, currency="USD", by=ana)
    act(operator, "deposit", "cancel", [made], confirmed="Yes")
    assert Deposit.objects.get().state == "cancelled"


def test_payouts_from_waiting_to_settled(operator, payouts, purse_of_ana):
    assert "Made batch" in act(operator, "payout", "gather", payouts)
    batch = PayoutBatch.objects.get()
    assert operator.get(f"/admin/ledger/payoutbatch/{batch.id}/change/").status_code == 200
    rows = list(csv.DictReader(io.StringIO(act(operator, "payoutbatch", "download", [batch]))))
    assert [(row["payout"], row["details"], row["amount"], row["currency"], row["owner"]) for row in rows] == [
        (str(payouts[0].id), "'=cmd|'x'", "10.00", "USD", "'=Ana"),
        (str(payouts[1].id), "DE02, Ana", "20.50", "USD", "'=Ana"),
    ]
    assert "Could these not be paid?" in act(operator, "payout", "mark_failed", payouts[:1])
    assert "Could these not be paid?" in act(operator, "payout", "mark_failed", payouts[:1], confirmed="Yes", text=" ")
    act(operator, "payout", "mark_failed", payouts[:1], confirmed="Yes", text="No such account.")
    act(operator, "payoutbatch", "mark_rest_paid", [batch], confirmed="Yes", text="wire 9")
    states = Payout.objects.order_by("id").values_list("state", "failure", "reference")
    assert list(states) == [("failed", "No such account.", ""), ("paid", "", "wire 9")]
    purse_of_ana.refresh_from_db()
    assert purse_of_ana.balance == 10_000 - 2050
    assert set(Purse.objects.filter(kind="payout").values_list("balance", flat=True)) == {0}


def test_one_payout_is_marked_as_paid(operator, payouts):
    act(operator, "payout", "gather", payouts)
    assert "Done for 1." in act(operator, "payout", "mark_paid", payouts[:1], confirmed="Yes", text="wire 1")
    assert set(Payout.objects.values_list("state", flat=True)) == {"paid", "batched"}
    refused = act(operator, "payout", "mark_failed", payouts[:1], confirmed="Yes", text="x")
    assert "only one in a batch is paid or fails" in refused


def test_nothing_waits_so_nothing_is_gathered(operator, payouts):
    act(operator, "payout", "gather", payouts)
    assert "No payout is waiting." in act(operator, "payout", "gather", payouts)
    assert PayoutBatch.objects.count() == 1


def test_who_may_only_view_moves_no_money(make_user, payouts, ana, purse_of_ana):
    clerk = make_user("Clerk", is_staff=True)
    clerk.user_permissions.set(
        Permission.objects.filter(codename__startswith="view_", content_type__app_label="ledger")
    )
    client = Client()
    client.force_login(clerk)
    deposit = ledger.request_deposit(purse_id=purse_of_ana.id, amount=500, currency="USD", by=ana)
    (batch,) = ledger.gather_payouts(by=make_user("Op", is_staff=True))
    for model, action, row in (
        ("deposit", "confirm", deposit),
        ("deposit", "cancel", deposit),
        ("payout", "mark_paid", payouts[0]),
        ("payout", "mark_failed", payouts[0]),
        ("payoutbatch", "mark_rest_paid", batch),
    ):
        act(client, model, action, [row], confirmed="Yes", text="why")
    assert Deposit.objects.get(id=deposit.id).state == "waiting"
    assert {each.state for each in Payout.objects.all()} == {"batched"}
    clerk.user_permissions.add(Permission.objects.get(codename="change_deposit"))
    act(client, "deposit", "confirm", [deposit], confirmed="Yes")
    assert Deposit.objects.get(id=deposit.id).state == "confirmed"
