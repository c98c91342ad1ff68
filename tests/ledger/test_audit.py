"""`audit_ledger`: silent when the books are right, precise when they are not."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from api.ledger import audits
from api.ledger import services as ledger
from api.ledger.models import Deposit, Entry, Payout, Purse, Transfer


@pytest.fixture
def unguarded(purse_of_ana) -> Iterator[None]:
    """Nothing in the database watches: the audit must find by itself what a broken guard lets through."""
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def audit() -> str:
    out = StringIO()
    try:
        call_command("audit_ledger", stdout=out, no_color=True)
    except CommandError as error:
        return f"{out.getvalue()}{error}"
    return out.getvalue()


def test_books_that_are_right(ana, purse_of_ana, make_user):
    operator = make_user("Op", is_staff=True)
    for amount in (500, 600, 700):
        ledger.request_payout(
            purse_id=purse_of_ana.id, amount=amount, currency="USD", method="bank", details="x", by=ana
        )
    paid, failed, _ = Payout.objects.order_by("id")
    ledger.gather_payouts(by=operator, payout_ids=[paid.id, failed.id])
    ledger.mark_payouts_paid(payout_ids=[paid.id], by=operator)
    ledger.mark_payouts_failed(payout_ids=[failed.id], by=operator, reason="x")
    made = ledger.request_deposit(purse_id=purse_of_ana.id, amount=5, currency="USD", by=ana)
    ledger.confirm_deposit(deposit_id=made.id, by=operator)
    said = audit()
    assert "7 transfers with 14 entries" in said
    assert "88.05 USD" in said
    assert "WRONG" not in said
    assert f"All {len(audits.checks())} checks passed." in said


def spoil_sum(purse: Purse) -> None:
    Entry.objects.filter(purse=purse).update(amount=10_001)


def spoil_chain(purse: Purse) -> None:
    Entry.objects.filter(purse=purse).update(balance_after=9)


def spoil_balance(purse: Purse) -> None:
    Purse.objects.filter(id=purse.id).update(balance=10_002)


def spoil_currency(purse: Purse) -> None:
    Purse.objects.filter(id=purse.id).update(currency="EUR")


def spoil_transfer(purse: Purse) -> None:
    Transfer.objects.create(key="empty", kind="fund")


def spoil_entries(purse: Purse) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_entry WHERE purse_id = %s", [purse.id])


def spoil_negative(purse: Purse) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_purse DROP CONSTRAINT purse_not_negative")
    Purse.objects.filter(id=purse.id).update(balance=-1)


def spoil_deposit(purse: Purse) -> None:
    Deposit.objects.create(
        purse=purse, provider="manual", code="X", amount=5, currency="USD", by_id=purse.owner_id,
        state="confirmed", decided_at="2026-01-01T00:00:00Z",
    )  # fmt: skip


def spoil_payout(purse: Purse) -> None:
    hold = Purse.objects.create(
        kind="payout", owner_id=purse.owner_id, held_for_kind="payout", held_for_id=purse.id, currency="USD"
    )
    Payout.objects.create(
        purse=purse, hold=hold, provider="manual", amount=5, currency="USD", method="bank", by_id=purse.owner_id
    )


@pytest.mark.parametrize(
    ("spoil", "check", "problem"),
    [
        (spoil_sum, "every transfer sums to zero", "sum to 1 USD"),
        (spoil_sum, "every balance is the sum", "shows 10000, its entries sum to 10001"),
        (spoil_chain, "every balance_after follows", "says 9 was left"),
        (spoil_balance, "every balance is the sum", "shows 10002"),
        (spoil_currency, "every entry has the currency", "is in USD, its purse"),
        (spoil_transfer, "every transfer has its entries", "(empty) has 0 entries"),
        (spoil_entries, "every transfer has its entries", "has 1 entries"),
        (spoil_negative, "no purse is or was below zero", "is at -1 USD"),
        (spoil_deposit, "every confirmed deposit arrived", "of 5 is confirmed, and 0 arrived"),
        (spoil_payout, "every payout under way is held", "of 5 is waiting, and its hold has 0"),
    ],
)
def test_books_that_are_wrong(unguarded, purse_of_ana, spoil, check, problem):
    spoil(purse_of_ana)
    said = audit()
    assert f"WRONG  {check}" in said
    assert problem in said
    assert "checks found problems." in said


def test_other_domains_prove_what_they_owe(purse_of_ana, monkeypatch):
    monkeypatch.setattr(audits, "_checks", dict(audits._checks))
    audits.register("every escrow is what its project owes", lambda: ["project 7 owes 5 and holds 4"])
    said = audit()
    assert "WRONG  every escrow is what its project owes" in said
    assert "project 7 owes 5 and holds 4" in said
    with pytest.raises(ValueError, match="already"):
        audits.register("every escrow is what its project owes", list)


def test_the_command_runs_in_one_read_only_snapshot(transactional_db, monkeypatch):
    seen = []

    def look() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
            seen.append(cursor.fetchone())
        return []

    monkeypatch.setattr(audits, "_checks", {"what it runs in": look})
    audit()
    assert seen == [("repeatable read", "on")]
