"""Proving that the books are right. Every check is one pass of SQL over all rows, whatever the triggers promise.

A domain that has a duty to hold money proves it with a check of its own, registered when its app is ready.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection

Check = Callable[[], Iterable[str]]
_checks: dict[str, Check] = {}

# Enough to see what kind of fault it is; a broken ledger could otherwise print millions of lines.
SHOWN = 20


def register(name: str, check: Check) -> None:
    """Have `check()` called by every audit; it yields a sentence for each problem, and nothing when all is right.

    It runs in one snapshot with all the others. `name` completes "checking that …". Raises ValueError when another
    check has the name already.
    """
    if _checks.get(name, check) is not check:
        raise ValueError(f"There is a check {name!r} already.")
    _checks[name] = check


def checks() -> dict[str, Check]:
    return dict(_checks)


def problems_in(sql: str, sentence: str, parameters: list[Any] | None = None) -> list[str]:
    """A sentence for each row of a query that finds faults: `sentence` is formatted with the row's columns."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({sql}) faults LIMIT {SHOWN}", parameters)  # noqa: S608
        return [sentence.format(*row) for row in cursor.fetchall()]


def figures() -> list[tuple[str, str, int, int]]:
    """(kind of purse, currency, how many, minor units in them) over all purses."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, currency, count(*), sum(balance)::bigint FROM ledger_purse GROUP BY 1, 2 ORDER BY 2, 1"
        )
        return list(cursor.fetchall())


def sizes() -> tuple[int, int]:
    """How many transfers and entries there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM ledger_transfer), (SELECT count(*) FROM ledger_entry)")
        transfers, entries = cursor.fetchone() or (0, 0)
        return transfers, entries


def _transfers_balance() -> list[str]:
    return problems_in(
        "SELECT transfer_id, currency, sum(amount) FROM ledger_entry GROUP BY 1, 2 HAVING sum(amount) <> 0",
        "the entries of transfer {0} sum to {2} {1}",
    )


def _transfers_have_entries() -> list[str]:
    return problems_in(
        "SELECT t.id, t.key, count(e.id) FROM ledger_transfer t LEFT JOIN ledger_entry e ON e.transfer_id = t.id"
        " GROUP BY t.id HAVING count(e.id) < 2",
        "transfer {0} ({1}) has {2} entries",
    )


def _balances_are_sums() -> list[str]:
    return problems_in(
        "SELECT p.id, p.balance, coalesce(e.total, 0) FROM ledger_purse p LEFT JOIN"
        " (SELECT purse_id, sum(amount) AS total FROM ledger_entry GROUP BY 1) e ON e.purse_id = p.id"
        " WHERE p.balance <> coalesce(e.total, 0)",
        "purse {0} shows {1}, its entries sum to {2}",
    )


def _balances_chain() -> list[str]:
    return problems_in(
        "SELECT id, purse_id, balance_after, running FROM (SELECT id, purse_id, balance_after,"
        " sum(amount) OVER (PARTITION BY purse_id ORDER BY id) AS running FROM ledger_entry) e"
        " WHERE balance_after <> running",
        "entry {0} of purse {1} says {2} was left, the entries up to it sum to {3}",
    )


def _no_purse_is_negative() -> list[str]:
    return problems_in(
        "SELECT id, balance, currency FROM ledger_purse WHERE balance < 0 AND kind <> 'external'",
        "purse {0} is at {1} {2}",
    ) + problems_in(
        "SELECT e.id, e.purse_id, e.balance_after FROM ledger_entry e JOIN ledger_purse p ON p.id = e.purse_id"
        " WHERE e.balance_after < 0 AND p.kind <> 'external'",
        "entry {0} left purse {1} at {2}",
    )


def _currencies_match() -> list[str]:
    return problems_in(
        "SELECT e.id, e.currency, p.id, p.currency FROM ledger_entry e JOIN ledger_purse p ON p.id = e.purse_id"
        " WHERE e.currency <> p.currency",
        "entry {0} is in {1}, its purse {2} in {3}",
    )


def _deposits_arrived() -> list[str]:
    return problems_in(
        "SELECT d.id, d.state, d.amount, coalesce(e.amount, 0) FROM ledger_deposit d"
        " LEFT JOIN ledger_transfer t ON t.key = 'deposit:' || d.id"
        " LEFT JOIN ledger_entry e ON e.transfer_id = t.id AND e.purse_id = d.purse_id"
        " WHERE coalesce(e.amount, 0) <> CASE d.state WHEN 'confirmed' THEN d.amount ELSE 0 END",
        "deposit {0} of {2} is {1}, and {3} arrived",
    )


def _payouts_are_held() -> list[str]:
    return problems_in(
        "SELECT o.id, o.state, o.amount, p.balance FROM ledger_payout o JOIN ledger_purse p ON p.id = o.hold_id"
        " WHERE p.balance <> CASE WHEN o.state IN ('waiting', 'batched') THEN o.amount ELSE 0 END",
        "payout {0} of {2} is {1}, and its hold has {3}",
    ) + problems_in(
        "SELECT p.id, p.balance FROM ledger_purse p LEFT JOIN ledger_payout o ON o.hold_id = p.id"
        " WHERE p.kind = 'payout' AND o.id IS NULL",
        "hold {0} has {1} for a payout that is not there",
    )


register("every transfer sums to zero in every currency", _transfers_balance)
register("every transfer has its entries", _transfers_have_entries)
register("every balance is the sum of the purse's entries", _balances_are_sums)
register("every balance_after follows from the entry before it", _balances_chain)
register("no purse is or was below zero", _no_purse_is_negative)
register("every entry has the currency of its purse", _currencies_match)
register("every confirmed deposit arrived, and no other", _deposits_arrived)
register("every payout under way is held, and no other", _payouts_are_held)
