"""Fixtures that tests of every domain use."""

from collections.abc import Callable, Iterator
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.backends.base.operations import BaseDatabaseOperations

from api.realtime import wakeup
from tests import factories

# `flush` ends every test with real transactions. The ledger refuses TRUNCATE and other tables have
# triggers too, so the emptying runs with triggers off (which takes a superuser); and what migrations put
# in (the hall, the first-party applications) comes back from copies in the schema `seed`.
_SEED = """
CREATE SCHEMA seed;
DO $$
DECLARE
    name text;
    filled boolean;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%%I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE seed.%%I AS TABLE public.%%I', name, name);
        END IF;
    END LOOP;
END $$;
"""
_SOW = """
DO $$
DECLARE
    name text;
    names text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'seed' AND tablename <> 'django_migrations' LOOP
        SELECT string_agg(quote_ident(column_name), ', ') INTO names FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name = name AND is_generated = 'NEVER';
        EXECUTE format('INSERT INTO public.%%I (%%s) SELECT %%s FROM seed.%%I', name, names, names, name);
    END LOOP;
END $$;
"""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    def flush(operations: BaseDatabaseOperations, statements: list[str]) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                cursor.execute(statement)
            cursor.execute(_SOW, [])

    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('seed.django_migrations') IS NOT NULL")
            fresh = cursor.fetchone()[0]
            if fresh:
                cursor.execute("SELECT max(id) = (SELECT max(id) FROM seed.django_migrations) FROM django_migrations")
                fresh = cursor.fetchone()[0]
            if not fresh:
                cursor.execute("DROP SCHEMA IF EXISTS seed CASCADE")
                cursor.execute(_SEED, [])
        patch.setattr(type(connection.ops), "execute_sql_flush", flush)
        yield
        # Its connection would keep the database from being dropped.
        wakeup.bell.close()


@pytest.fixture
def make_user(db: None) -> Callable[..., Any]:
    """`make_user("Ana")`: a new user."""
    return factories.make_user


@pytest.fixture
def api(db: None) -> Callable[..., factories.ApiClient]:
    """`api(user, scopes=["work:read"])`: a client with a bearer token of the user; `api()` has none."""
    return factories.make_api


@pytest.fixture
def together(transactional_db: None) -> Callable[..., list[Any]]:
    """`together(f, g, …)` runs the functions at the same time, each in a thread with a connection of its own.

    Answers what each returned or, in its place, the exception it raised, in the order given. Every thread is
    connected before the first one starts.
    """

    def run(*functions: Callable[[], Any], timeout: float = 30) -> list[Any]:
        results: list[Any] = [TimeoutError("still running")] * len(functions)
        barrier = Barrier(len(functions))

        def call(place: int, function: Callable[[], Any]) -> None:
            try:
                connection.ensure_connection()
                barrier.wait(timeout)
                results[place] = function()
            except Exception as error:  # noqa: BLE001  (the test looks at it)
                results[place] = error
            finally:
                connections.close_all()

        threads = [Thread(target=call, args=item, daemon=True) for item in enumerate(functions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout)
        return results

    return run
