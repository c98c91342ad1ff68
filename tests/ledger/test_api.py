"""Purses, deposits and payouts as callers see them."""

from uuid import uuid4

import pytest
from django.utils import timezone

from api.collectives.models import Collective, Membership
from api.ledger import services as ledger
from api.ledger.models import Deposit, Payout, Purse, Transfer
from tests.ledger.conftest import deposit

BANK = {"method": "bank", "details": "DE02 1203 0000 0000 2020 51"}


def usd(amount: int) -> dict:
    return {"amount": amount, "currency": "USD"}


@pytest.fixture
def group(ana, make_user):
    """A collective of Ana (owner) and Ben (member), and its purse."""
    made = Collective.objects.create(kind="group", name="Lab")
    ben = make_user("Ben")
    Membership.objects.create(collective=made, user=ana, role="owner")
    Membership.objects.create(collective=made, user=ben, role="member")
    return made, ben, ledger.purse_of(owner_id=made.id, currency="USD")


def test_a_new_user_finds_an_empty_purse(api, ana):
    response = api(ana).get("/api/v1/purses")
    assert response.status_code == 200
    (body,) = response.json()
    assert body["collective"] == {"id": str(ana.id), "name": "Ana"}
    assert (body["name"], body["kind"], body["held_for"], body["balance"]) == ("Ana", "purse", None, usd(0))
    assert [each["id"] for each in api(ana).get("/api/v1/purses").json()] == [body["id"]]


def test_purses_of_all_my_collectives_and_escrows_but_no_payouts_and_nobody_elses(api, ana, purse_of_ana, group, purse):
    purse(500)
    project = uuid4()
    escrow = ledger.hold_of(kind="project", subject_id=project, owner_id=ana.id, currency="USD")
    hold = ledger.hold_of(kind="payout", subject_id=uuid4(), owner_id=ana.id, currency="USD")
    listed = api(ana).get("/api/v1/purses").json()
    assert {each["id"] for each in listed} == {str(each.id) for each in (purse_of_ana, group[2], escrow)}
    held = next(each for each in listed if each["kind"] == "escrow")
    assert held["held_for"] == {"kind": "project", "id": str(project)}
    of_kind = api(ana).get("/api/v1/purses?kind=payout").json()
    assert [each["id"] for each in of_kind] == [str(hold.id)]
    of_group = api(ana).get(f"/api/v1/purses?collective={group[0].id}").json()
    assert [each["name"] for each in of_group] == ["Lab"]
    assert api(ana).get("/api/v1/purses?kind=fees").status_code == 400


def test_listing_purses_takes_the_same_queries_however_many(api, ana, django_assert_max_num_queries):
    client = api(ana)
    client.get("/api/v1/purses")
    for _ in range(20):
        ledger.hold_of(kind="project", subject_id=uuid4(), owner_id=ana.id, currency="USD")
    with django_assert_max_num_queries(6):
        assert len(client.get("/api/v1/purses").json()) == 21


def test_one_purse(api, ana, purse_of_ana):
    body = api(ana).get(f"/api/v1/purses/{purse_of_ana.id}").json()
    assert body["balance"] == usd(10_000)


def paths(purse_id) -> list[tuple[str, str, dict | None]]:
    base = f"/api/v1/purses/{purse_id}"
    return [
        ("get", base, None),
        ("get", f"{base}/statement", None),
        ("get", f"{base}/statement?format=csv", None),
        ("get", f"{base}/deposits", None),
        ("get", f"{base}/payouts", None),
        ("post", f"{base}/deposit", {"amount": usd(5)}),
        ("post", f"{base}/payouts", {"amount": usd(500), "destination": BANK}),
    ]


def test_a_strangers_purse_is_not_there(api, make_user, purse_of_ana):
    client = api(make_user("Eve"))
    for method, path, body in paths(purse_of_ana.id):
        response = getattr(client, method)(path, body)
        assert response.status_code == 404, path
        assert response.json()["code"] == "not_found"


def test_the_systems_purses_are_not_there_for_anyone(api, make_user, purse_of_ana):
    outside = Purse.objects.get(kind="external")
    client = api(make_user("Op", is_staff=True))
    for method, path, body in paths(outside.id):
        assert getattr(client, method)(path, body).status_code == 404, path


def test_nobody_without_a_token_and_nobody_without_the_scope(api, ana, purse_of_ana):
    for method, path, body in [
        *paths(purse_of_ana.id),
        ("get", "/api/v1/purses", None),
        ("get", "/api/v1/providers", None),
    ]:
        response = getattr(api(), method)(path, body)
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated"), path
        lacking = "ledger:write" if method == "get" else "ledger:read"
        response = getattr(api(ana, scopes=[lacking, "account:read"]), method)(path, body)
        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope"), path


def test_a_member_sees_but_the_charter_says_who_spends(api, group):
    _, ben, purse = group
    deposit(purse, 1000)
    client = api(ben)
    for method, path, body in paths(purse.id):
        response = getattr(client, method)(path, body)
        if method == "get":
            assert response.status_code == 200, path
        else:
            assert (response.status_code, response.json()["code"]) == (403, "denied"), path


def test_a_former_member_sees_nothing(api, group):
    _, ben, purse = group
    Membership.objects.filter(user=ben, collective=group[0]).update(until=timezone.now())
    assert api(ben).get(f"/api/v1/purses/{purse.id}").status_code == 404


def test_a_statement_newest_first_in_pages(api, ana, purse_of_ana, purse):
    other = purse()
    subject = uuid4()
    for n in range(1, 6):
        ledger.transfer(
            key=f"accept:{n}",
            kind=Transfer.Kind.ACCEPT,
            lines=[(purse_of_ana.id, -n), (other.id, n)],
            memo=f"no. {n}",
            subject=("assignment", subject),
        )
    client = api(ana)
    path = f"/api/v1/purses/{purse_of_ana.id}/statement?limit=4"
    first = client.get(path)
    assert [each["amount"]["amount"] for each in first.json()] == [-5, -4, -3, -2]
    assert first.json()[0] == {
        "id": first.json()[0]["id"],
        "at": first.json()[0]["at"],
        "kind": "accept",
        "memo": "no. 5",
        "amount": usd(-5),
        "balance_after": usd(9985),
        "subject": {"kind": "assignment", "id": str(subject)},
    }
    following = first["Link"].partition("<")[2].partition(">")[0]
    second = client.get(following)
    assert [each["amount"]["amount"] for each in second.json()] == [-1, 10_000]
    assert "Link" not in second
    assert second.json()[1]["subject"] is None


def test_a_statement_of_some_time(api, ana, purse_of_ana):
    client = api(ana)
    path = f"/api/v1/purses/{purse_of_ana.id}/statement"
    today = timezone.now().date().isoformat()
    assert len(client.get(f"{path}?from={today}").json()) == 1
    assert client.get(f"{path}?to={today}").json() == []
    assert client.get(f"{path}?from=2100-01-01T00:00:00Z").json() == []
    refused = client.get(f"{path}?from=yesterday")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "from"
    assert client.get(f"{path}?since=2026-01-01").json()["errors"][0]["code"] == "unknown_field"
    assert client.get(f"{path}?cursor=nonsense").json()["code"] == "invalid_cursor"


def test_a_statement_as_csv_with_formulas_escaped(api, ana, purse_of_ana, purse):
    ledger.transfer(
        key="k",
        kind=Transfer.Kind.BONUS,
        lines=[(purse_of_ana.id, -120), (purse().id, 120)],
        memo='=HYPERLINK("http://evil","x")',
    )
    response = api(ana).get(f"/api/v1/purses/{purse_of_ana.id}/statement?format=csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert f"statement-{purse_of_ana.id}.csv" in response["Content-Disposition"]
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert lines[0] == "id,at,kind,memo,amount,balance_after,currency,subject_kind,subject_id"
    assert len(lines) == 3
    assert ',bonus,"\'=HYPERLINK(""http://evil"",""x"")",-120,9880,USD,,' in lines[1]


def test_a_deposit_is_there_once_an_operator_has_confirmed_it(api, ana, make_user, purse_of_ana):
    client = api(ana)
    path = f"/api/v1/purses/{purse_of_ana.id}"
    response = client.post(f"{path}/deposit", {"amount": usd(2500), "reference": "invoice 7"})
    assert response.status_code == 201
    body = response.json()
    assert (body["state"], body["amount"], body["reference"]) == ("waiting", usd(2500), "invoice 7")
    assert body["code"] in body["instructions"]
    assert "25.00 USD" in body["instructions"]
    assert client.get(path).json()["balance"] == usd(10_000)
    operator = make_user("Op", is_staff=True)
    ledger.confirm_deposit(deposit_id=body["id"], by=operator)
    ledger.confirm_deposit(deposit_id=body["id"], by=operator)
    assert client.get(path).json()["balance"] == usd(12_500)
    (listed,) = client.get(f"{path}/deposits").json()
    assert (listed["state"], listed["instructions"]) == ("confirmed", "")
    response = client.post(f"/api/v1/deposits/{body['id']}/cancel")
    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")


def test_the_same_key_makes_one_deposit(api, ana, purse_of_ana):
    path = f"/api/v1/purses/{purse_of_ana.id}/deposit"
    key = {"Idempotency-Key": "one-and-the-same"}
    first, second = (api(ana).post(path, {"amount": usd(5)}, headers=key) for _ in range(2))
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"
    assert Deposit.objects.count() == 1


def test_an_operators_token_cancels_nobody_elses_deposit(api, ana, make_user, purse_of_ana):
    """Operators settle in the admin, with the right to; a token of theirs is a user's like any other."""
    made = ledger.request_deposit(purse_id=purse_of_ana.id, amount=5, currency="USD", by=ana)
    operator = make_user("Op", is_staff=True, is_superuser=True)
    assert api(operator).post(f"/api/v1/deposits/{made.id}/cancel").status_code == 404
    assert Deposit.objects.get().state == "waiting"


def test_cancelling_a_deposit(api, ana, make_user, group, purse_of_ana):
    made = ledger.request_deposit(purse_id=purse_of_ana.id, amount=5, currency="USD", by=ana)
    path = f"/api/v1/deposits/{made.id}/cancel"
    assert api(make_user("Eve")).post(path).status_code == 404
    assert api(ana).post(path).json()["state"] == "cancelled"
    of_group = ledger.request_deposit(purse_id=group[2].id, amount=5, currency="USD", by=ana)
    assert api(group[1]).post(f"/api/v1/deposits/{of_group.id}/cancel").json()["code"] == "denied"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "amount", "required"),
        ({"amount": 5}, "amount", "invalid"),
        ({"amount": {"amount": 0, "currency": "USD"}}, "amount.amount", "min_value"),
        ({"amount": {"amount": -5, "currency": "USD"}}, "amount.amount", "min_value"),
        ({"amount": {"amount": 1.5, "currency": "USD"}}, "amount.amount", "invalid"),
        ({"amount": {"amount": 5, "currency": "usd"}}, "amount.currency", "invalid"),
        ({"amount": {"amount": 5, "currency": "EUR"}}, "amount.currency", "wrong_currency"),
        ({"amount": {"amount": 10**16, "currency": "USD"}}, "amount.amount", "max_value"),
        ({"amount": {"amount": 5, "currency": "USD", "x": 1}}, "amount.x", "unknown_field"),
        ({"amount": {"amount": 5, "currency": "USD"}, "state": "confirmed"}, "state", "unknown_field"),
        ({"amount": {"amount": 5, "currency": "USD"}, "provider": "bribe"}, "provider", "unknown_provider"),
        ({"amount": {"amount": 5, "currency": "USD"}, "reference": "x" * 141}, "reference", "max_length"),
    ],
)
def test_deposits_that_are_refused(api, ana, purse_of_ana, body, field, code):
    response = api(ana).post(f"/api/v1/purses/{purse_of_ana.id}/deposit", body)
    assert response.status_code == 400
    assert (field, code) in {(each["field"], each["code"]) for each in response.json()["errors"]}


def test_a_payout_leaves_the_purse_at_once_and_comes_back_when_cancelled(api, ana, purse_of_ana):
    client = api(ana)
    path = f"/api/v1/purses/{purse_of_ana.id}"
    response = client.post(f"{path}/payouts", {"amount": usd(4000), "destination": BANK})
    assert response.status_code == 201
    body = response.json()
    assert (body["state"], body["amount"], body["destination"]) == ("waiting", usd(4000), BANK)
    assert client.get(path).json()["balance"] == usd(6000)
    assert client.get(f"{path}/payouts").json() == [body]
    cancelled = client.post(f"/api/v1/payouts/{body['id']}/cancel")
    assert cancelled.json()["state"] == "cancelled"
    assert client.get(path).json()["balance"] == usd(10_000)
    again = client.post(f"/api/v1/payouts/{body['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert [each["kind"] for each in client.get(f"{path}/statement").json()] == ["refund", "payout", "deposit"]


def test_a_payout_needs_the_money(api, ana, purse_of_ana):
    path = f"/api/v1/purses/{purse_of_ana.id}/payouts"
    response = api(ana).post(path, {"amount": usd(10_001), "destination": BANK})
    assert (response.status_code, response.json()["code"]) == (409, "insufficient_funds")
    assert response.json()["missing"] == usd(1)
    assert not Payout.objects.exists()
    assert not Purse.objects.filter(kind="payout").exists()


def test_payouts_that_are_refused(api, ana, make_user, purse_of_ana, settings):
    settings.MIN_PAYOUT = 500
    client = api(ana)
    path = f"/api/v1/purses/{purse_of_ana.id}/payouts"
    small = client.post(path, {"amount": usd(499), "destination": BANK})
    assert (small.status_code, small.json()["code"]) == (400, "too_small")
    assert "5.00 USD" in small.json()["detail"]
    for body, field in [
        ({"amount": usd(500)}, "destination"),
        ({"amount": usd(500), "destination": {"method": "bank"}}, "destination.details"),
        ({"amount": usd(500), "destination": {"method": "pigeon", "details": "x"}}, "destination.method"),
        ({"amount": {"amount": 500, "currency": "EUR"}, "destination": BANK}, "amount.currency"),
        ({"amount": usd(500), "destination": {**BANK, "name": "x"}}, "destination.name"),
    ]:
        response = client.post(path, body)
        assert response.status_code == 400
        assert [each["field"] for each in response.json()["errors"]] == [field]
    made = client.post(path, {"amount": usd(500), "destination": BANK}).json()
    assert api(make_user("Eve")).post(f"/api/v1/payouts/{made['id']}/cancel").status_code == 404


def test_held_money_can_neither_be_paid_out_nor_deposited_into(api, ana, purse_of_ana):
    escrow = ledger.hold_of(kind="project", subject_id=uuid4(), owner_id=ana.id, currency="USD")
    path = f"/api/v1/purses/{escrow.id}"
    for response in (
        api(ana).post(f"{path}/payouts", {"amount": usd(500), "destination": BANK}),
        api(ana).post(f"{path}/deposit", {"amount": usd(500)}),
    ):
        assert (response.status_code, response.json()["code"]) == (409, "held")


def test_how_money_comes_in_and_goes_out(api, ana, settings):
    settings.MIN_PAYOUT = 700
    (body,) = api(ana).get("/api/v1/providers").json()
    assert (body["name"], body["min_payout"]) == ("manual", usd(700))
    assert body["deposit_instructions"]
    assert "bank" in body["methods"]
