"""What the database refuses, whoever asks: here it is asked in plain SQL."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from api.ledger import services as ledger
from api.ledger.models import Purse, Transfer


def run(sql: str, *parameters) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def refused(sql: str, *parameters, match: str) -> None:
    with pytest.raises(IntegrityError, match=match):
        run(sql, *parameters)


@pytest.fixture
def two(purse):
    """Purses of 500 and 0, and a transfer without entries."""
    made, one, other = Transfer.objects.create(key="raw", kind="fund"), purse(500), purse()
    connection.check_constraints()  # so that none is left for the end of the test, which forbids TRUNCATE by itself
    return one, other, made


INSERT = "INSERT INTO ledger_entry (transfer_id, purse_id, amount, balance_after, currency) VALUES "
LINE = "(%s, %s, %s, %s, %s)"


def test_entries_in_plain_sql_move_money(two):
    one, other, made = two
    run(INSERT + LINE + "," + LINE, made.id, one.id, -200, 300, "USD", made.id, other.id, 200, 200, "USD")
    assert set(Purse.objects.filter(id__in=[one.id, other.id]).values_list("balance", flat=True)) == {300, 200}


def test_entries_must_sum_to_zero(two):
    one, other, made = two
    refused(INSERT + LINE, made.id, one.id, -200, 300, "USD", match="not to zero")
    lines = INSERT + LINE + "," + LINE
    refused(lines, made.id, one.id, -200, 300, "USD", made.id, other.id, 199, 199, "USD", match="not to zero")


def test_each_transfer_must_sum_to_zero_by_itself(two):
    one, other, made = two
    second = Transfer.objects.create(key="raw2", kind="fund")
    lines = INSERT + LINE + "," + LINE
    refused(lines, made.id, one.id, -200, 300, "USD", second.id, other.id, 200, 200, "USD", match="not to zero")


def test_each_currency_must_sum_to_zero_by_itself(two, purse):
    one, _, made = two
    euros = purse(0, "EUR")
    lines = INSERT + LINE + "," + LINE
    refused(lines, made.id, one.id, -200, 300, "USD", made.id, euros.id, 200, 200, "EUR", match="not to zero")


def test_an_entry_has_the_currency_of_its_purse(two, purse):
    one, _, made = two
    euros = purse(0, "EUR")
    lines = INSERT + LINE + "," + LINE
    refused(lines, made.id, one.id, -200, 300, "USD", made.id, euros.id, 200, 200, "USD", match="its purse in EUR")


def test_balance_after_must_be_true(two):
    one, other, made = two
    lines = INSERT + LINE + "," + LINE
    refused(
        lines, made.id, one.id, -200, 301, "USD", made.id, other.id, 200, 200, "USD", match="is left, but it is 300"
    )


def test_a_purse_does_not_go_below_zero(two):
    one, other, made = two
    lines = INSERT + LINE + "," + LINE
    parameters = (made.id, one.id, -501, -1, "USD", made.id, other.id, 501, 501, "USD")
    refused(lines, *parameters, match="purse_not_negative")


def test_the_world_outside_may(two):
    outside = ledger.system_purse(kind=Purse.Kind.EXTERNAL, currency="USD")
    assert outside.balance == -500


def test_a_transfer_gets_all_its_entries_at_once(two, purse):
    one, other, made = two
    lines = INSERT + LINE + "," + LINE
    run(lines, made.id, one.id, -200, 300, "USD", made.id, other.id, 200, 200, "USD")
    third, fourth = purse(10), purse()
    parameters = (made.id, third.id, -10, 0, "USD", made.id, fourth.id, 10, 10, "USD")
    refused(lines, *parameters, match="has entries already")


def test_a_transfer_has_one_entry_for_a_purse_and_none_of_nothing(two):
    one, other, made = two
    lines = INSERT + LINE + "," + LINE
    refused(lines, made.id, one.id, 5, 505, "USD", made.id, one.id, -5, 500, "USD", match="entry_once_per_purse")
    refused(lines, made.id, one.id, 0, 500, "USD", made.id, other.id, 0, 0, "USD", match="entry_moves_something")


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transfer"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_happened_is_never_changed(two, table, statement):
    refused(statement.format(table), match="never changed or deleted")
    refused(statement.format(table) + (" WHERE false" if "TRUNCATE" not in statement else ""), match="never changed")


def test_purses_cannot_be_taken_from_under_their_entries(two):
    refused("TRUNCATE ledger_purse CASCADE", match="never deleted")
    refused("DELETE FROM ledger_purse WHERE id = %s", two[0].id, match="never deleted")


def test_an_entry_has_a_transfer_and_a_purse(two):
    one, other, made = two
    lines = INSERT + LINE + "," + LINE
    nothing = uuid4()
    parameters = (nothing, one.id, -200, 300, "USD", nothing, other.id, 200, 200, "USD")
    refused(lines, *parameters, match="no transfer")
    parameters = (made.id, one.id, -200, 300, "USD", made.id, nothing, 200, 200, "USD")
    refused(lines, *parameters, match="no purse")


def test_a_balance_changes_by_entries_alone(two):
    one, _, _ = two
    refused("UPDATE ledger_purse SET balance = balance + 1 WHERE id = %s", one.id, match="by entries alone")
    refused("UPDATE ledger_purse SET balance = 0", match="by entries alone")
    refused(
        "INSERT INTO ledger_purse (id, owner_id, kind, currency, balance) VALUES (%s, %s, 'purse', 'USD', 5)",
        uuid4(),
        uuid4(),
        match="opened empty",
    )


@pytest.mark.parametrize(
    "change",
    [
        "owner_id = gen_random_uuid()",
        "currency = 'EUR'",
        "id = gen_random_uuid()",
        "kind = 'escrow', held_for_kind = 'project', held_for_id = gen_random_uuid()",
    ],
)
def test_a_purse_stays_what_it_is(two, change):
    refused(f"UPDATE ledger_purse SET {change} WHERE id = %s", two[0].id, match="keeps its owner")


@pytest.mark.parametrize(
    ("kind", "owner", "held", "currency", "match"),
    [
        ("purse", None, None, "USD", "purse_kind_fits"),
        ("escrow", "own", None, "USD", "purse_kind_fits"),
        ("purse", "own", "project", "USD", "purse_kind_fits"),
        ("external", "own", None, "USD", "purse_kind_fits"),
        ("fees", None, "project", "USD", "purse_kind_fits"),
        ("bribe", "own", None, "USD", "purse_kind_fits"),
        ("purse", "own", None, "usd", "purse_currency_code"),
    ],
)
def test_a_purse_has_what_its_kind_needs_and_no_more(db, kind, owner, held, currency, match):
    refused(
        "INSERT INTO ledger_purse (id, owner_id, kind, held_for_kind, held_for_id, currency, balance)"
        " VALUES (%s, %s, %s, %s, %s, %s, 0)",
        uuid4(),
        owner and uuid4(),
        kind,
        held,
        held and uuid4(),
        currency,
        match=match,
    )


def test_one_purse_for_each_owner_and_currency_and_one_of_each_of_the_systems(purse):
    one = purse(5)
    insert = (
        "INSERT INTO ledger_purse (id, owner_id, kind, currency, balance) VALUES (gen_random_uuid(), %s, %s, 'USD', 0)"
    )
    refused(insert, one.owner_id, "purse", match="purse_once_per_owner")
    refused(insert, None, "external", match="purse_once_per_system")


def test_the_same_key_is_one_transfer(two):
    refused(
        "INSERT INTO ledger_transfer (id, key, kind, memo) VALUES (gen_random_uuid(), 'raw', 'fund', '')", match="key"
    )
