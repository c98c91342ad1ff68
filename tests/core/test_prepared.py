"""Statements that a session parses once."""

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

from api.core.postgres.prepared import Statement

DOUBLE = Statement("test_double", ("int",), "SELECT $1 * 2")
NOTHING = Statement("test_nothing", ("int",), "SELECT 1 WHERE $1 = 0")


@pytest.mark.django_db(transaction=True)
def test_a_statement_is_prepared_once_for_each_session() -> None:
    for _ in range(2):
        assert DOUBLE.call([21]) == (42,)
        assert DOUBLE.call([-1]) == (-2,)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name = 'test_double'")
            assert cursor.fetchone() == (1,)
        connection.close()


@pytest.mark.django_db
def test_one_without_a_row() -> None:
    assert NOTHING.fetchone([1]) is None
    with pytest.raises(RuntimeError, match="test_nothing"):
        NOTHING.call([1])


@pytest.mark.django_db
def test_who_counts_queries_sees_it() -> None:
    DOUBLE.call([1])
    with CaptureQueriesContext(connection) as seen:
        DOUBLE.call([2])
    assert [each["sql"] for each in seen] == ["EXECUTE test_double(2)"]


@pytest.mark.django_db
def test_its_errors_are_djangos() -> None:
    with pytest.raises(DataError), transaction.atomic():
        DOUBLE.call([2**31 - 1])
    assert DOUBLE.call([2]) == (4,)


@pytest.mark.django_db
def test_it_does_not_run_in_a_transaction_that_has_failed() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            DOUBLE.call([1])
