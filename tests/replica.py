"""Real replicas of the tests' own PostgreSQL, for tests that read them.

A test that takes `replica` runs with one configured, and needs
`@pytest.mark.django_db(transaction=True, databases="__all__")`, for a replica shows what was committed.
"""

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from django.conf import settings as django_settings
from django.db import connection, connections

from api.core import replicas
from config.databases import databases
from config.local import database

# So long that nothing lags unless a test is about that.
_MAX_LAG = 60


def wait_until(holds: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


class Standby:
    """One replica and the alias under which Django knows it."""

    def __init__(self, number: int) -> None:
        self.alias = f"replica{number}"
        self.data = Path(django_settings.DATA_DIR) / self.alias
        # A run that was interrupted leaves its replica running.
        database.stop(self.data)
        shutil.rmtree(self.data, ignore_errors=True)
        primary = database.start(Path(django_settings.DATA_DIR) / "postgres")
        self.server = database.start_replica(primary, self.data, extra="shared_buffers = 32MB")
        self._configure(self.server.get_uri(connection.settings_dict["NAME"]))

    def _configure(self, url: str) -> None:
        known = databases("postgresql:///x", url)
        connections.configure_settings(known)
        connections.settings[self.alias] = known["replica0"]

    def end(self) -> None:
        database.stop(self.data)
        shutil.rmtree(self.data, ignore_errors=True)
        connections.settings.pop(self.alias, None)

    def ask(self, sql: str) -> Any:
        """The first value of the first row, over a connection besides Django's."""
        session = psycopg2.connect(self.server.get_uri(connection.settings_dict["NAME"]))
        try:
            session.autocommit = True
            with session.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchone()[0]
        finally:
            session.close()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It receives, and shows nothing new."""
        self.ask("SELECT pg_wal_replay_pause()::text")
        wait_until(lambda: self.ask("SELECT pg_get_wal_replay_pause_state()") == "paused")
        try:
            yield
        finally:
            self.ask("SELECT pg_wal_replay_resume()::text")
            self.catch_up()

    @contextmanager
    def delayed(self, milliseconds: int) -> Iterator[None]:
        """It shows every transaction so much later than the primary."""
        self._set("recovery_min_apply_delay", str(milliseconds))
        try:
            yield
        finally:
            self._set("recovery_min_apply_delay", "0")
            self.catch_up()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        database.stop(self.data)
        try:
            yield
        finally:
            database.start(self.data)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes connections and says nothing."""
        parent = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        family = [parent, *parent.children(recursive=True)]
        for process in family:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in family:
                process.send_signal(signal.SIGCONT)

    def catch_up(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_flush_lsn()::text")
            (place,) = cursor.fetchone()
        wait_until(lambda: self.ask(f"SELECT pg_last_wal_replay_lsn() >= '{place}'::pg_lsn"))

    def _set(self, name: str, value: str) -> None:
        session = psycopg2.connect(self.server.get_uri())
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(f"ALTER SYSTEM SET {name} = {value}")
            cursor.execute("SELECT pg_reload_conf()")
            cursor.fetchone()
        session.close()
        wait_until(lambda: self.ask(f"SELECT setting FROM pg_settings WHERE name = '{name}'") == value)


def _started(number: int, blocker: Any) -> Iterator[Standby]:
    with blocker.unblock():
        standby = Standby(number)
    yield standby
    with blocker.unblock():
        standby.end()


@pytest.fixture(scope="session")
def standby(django_db_setup: None, django_db_blocker: Any) -> Iterator[Standby]:
    yield from _started(0, django_db_blocker)


@pytest.fixture(scope="session")
def second_standby(django_db_setup: None, django_db_blocker: Any) -> Iterator[Standby]:
    yield from _started(1, django_db_blocker)


@contextmanager
def reading(settings: Any, *standbys: Standby) -> Iterator[None]:
    """Safe requests of this process read these replicas, which are known to be up."""
    settings.REPLICA_MAX_LAG = _MAX_LAG
    settings.REPLICAS = [each.alias for each in standbys]
    for each in standbys:
        each.catch_up()
    wait_until_up(*standbys)
    try:
        yield
    finally:
        replicas.watch.stop()
        for each in standbys:
            connections[each.alias].close()


def wait_until_up(*standbys: Standby) -> None:
    known = replicas.watch.of_this_process()
    wait_until(lambda: all(known.replicas[each.alias].is_up for each in standbys))


@pytest.fixture
def replica(standby: Standby, transactional_db: None, settings: Any) -> Iterator[Standby]:
    with reading(settings, standby):
        yield standby


@pytest.fixture
def replica_pair(
    standby: Standby, second_standby: Standby, transactional_db: None, settings: Any
) -> Iterator[tuple[Standby, Standby]]:
    with reading(settings, standby, second_standby):
        yield standby, second_standby
