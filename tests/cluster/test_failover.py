"""The primary is lost: with pgpool and without, what was acknowledged is on both survivors and one primary is left.

Writers insert a key each under a unique index and write it down when they are told that it is committed. Gaps are
printed, not asserted.
"""

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest

from config.cluster.pgpool import Pools
from config.cluster.postgres import APPLICATION, Node, Servers
from config.cluster.programs import ROOT, wait_until

pytestmark = pytest.mark.processes
PATIENCE = 40


class Writers:
    """Threads that write keys to `url`, and the journal of what was acknowledged."""

    def __init__(self, url: str, count: int = 3) -> None:
        self.url = url
        self.acknowledged: list[str] = []
        self.times: list[float] = []
        self.errors: set[str] = set()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, daemon=True) for _ in range(count)]

    def _write(self) -> None:
        connection = None
        while not self._stop.is_set():
            key = uuid4().hex
            while not self._stop.is_set():
                try:
                    if connection is None:
                        connection = psycopg2.connect(self.url)
                        connection.autocommit = True
                    with connection.cursor() as cursor:
                        cursor.execute("INSERT INTO journal VALUES (%s) ON CONFLICT DO NOTHING", [key])
                    self.acknowledged.append(key)
                    self.times.append(time.monotonic())
                    break
                except psycopg2.Error as error:
                    # A read-only session stays usable, and would stay read-only.
                    self.errors.add(f"{type(error).__name__} {error.pgcode or ''}".strip())
                    if connection is not None:
                        connection.close()
                        connection = None
                    time.sleep(0.05)
        if connection is not None:
            connection.close()

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            wait_until(lambda: len(self.acknowledged) >= 100, PATIENCE, "writers have begun")
            since = time.monotonic()
            yield
            there = len(self.acknowledged)
            wait_until(lambda: len(self.acknowledged) >= there + 200, PATIENCE, "writers go on")
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(30)
        times = sorted(at for at in self.times if at > since - 1)
        gap = max((b - a for a, b in itertools.pairwise(times)), default=0)
        print(f"{name}: {len(self.acknowledged)} commits, longest gap {gap:.2f} s, errors {sorted(self.errors)}")


@pytest.fixture(scope="module", autouse=True)
def table(servers: Servers) -> None:
    connection = psycopg2.connect(servers.url(target_session_attrs="read-write"))
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS journal (key text PRIMARY KEY)")
    connection.close()


def keys_of(node: Node) -> list[str]:
    connection = node.connect(name=APPLICATION)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT key FROM journal")
            return [row[0] for row in cursor.fetchall()]
    finally:
        connection.close()


def check(servers: Servers, writers: Writers, lost: Node | None = None) -> None:
    """Every acknowledged key is on every server that is up, once, and exactly one is primary."""
    primary = servers.primary()
    others = [node for node in servers.nodes if node not in (primary, lost)]
    end = primary.ask("SELECT pg_current_wal_flush_lsn()::text")
    for node in others:
        wait_until(
            lambda node=node: bool(node.ask("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [end])),
            PATIENCE,
            f"{node.name} replays",
        )
    for node in [primary, *others]:
        keys = keys_of(node)
        missing = set(writers.acknowledged) - set(keys)
        assert not missing, f"{len(missing)} acknowledged commits are not on {node.name}"
        assert len(keys) == len(set(keys))
    assert len(writers.acknowledged) == len(set(writers.acknowledged))


@pytest.mark.parametrize("harm", [Node.kill, Node.pause], ids=["killed", "hung"])
def test_pgpool_replaces_a_primary(servers: Servers, pools: Pools, harm: Callable[[Node], None]) -> None:
    old = servers.primary()
    writers = Writers(pools.url)
    with writers.writing(f"pgpool, primary {harm.__name__}"):
        harm(old)
    assert servers.primary() is not old
    assert old.pid is None, "the old primary was not fenced"
    check(servers, writers, old)
    servers.rejoin(old)
    wait_until(pools.is_settled, PATIENCE, "the coordinators see all servers")
    check(servers, writers)


def test_the_leading_pgpool_is_killed(servers: Servers, pools: Pools) -> None:
    leader = pools.leader()
    writers = Writers(pools.url)
    with writers.writing("pgpool leader killed"):
        leader.kill()
    check(servers, writers)
    leader.start()
    wait_until(pools.is_settled, PATIENCE, "there is a leader again")


def test_a_standby_is_lost_and_writers_go_on(servers: Servers, pools: Pools) -> None:
    standby = servers.standbys()[0]
    writers = Writers(pools.url)
    with writers.writing("synchronous standby killed"):
        standby.kill()
    assert not standby.is_up()
    check(servers, writers, standby)
    servers.rejoin(standby)
    wait_until(pools.is_settled, PATIENCE, "the coordinators see all servers")


@pytest.fixture
def unwatched(servers: Servers, pools: Pools) -> None:
    """No pgpool any more: the last tests of this page do without."""
    pools.stop()


@pytest.fixture
def watcher(servers: Servers, unwatched: None, folder: Path) -> Iterator[None]:
    """The watcher does what pgpool did."""
    output = folder / "watch.log"
    with output.open("wb") as file:
        command = [sys.executable, "-m", "config.cluster.watch", servers.list]
        process = subprocess.Popen(command, cwd=ROOT, env=servers.env, stdout=file, stderr=file)
    try:
        wait_until(lambda: "is primary" in output.read_text(), PATIENCE, "the watcher has found the primary")
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("harm", [Node.kill, Node.pause], ids=["killed", "hung"])
def test_without_pgpool_the_watcher_replaces_a_primary(
    servers: Servers, watcher: None, harm: Callable[[Node], None]
) -> None:
    old = servers.primary()
    writers = Writers(servers.url(target_session_attrs="read-write", connect_timeout="2"))
    with writers.writing(f"libpq, primary {harm.__name__}"):
        harm(old)
    assert servers.primary() is not old
    assert old.pid is None, "the old primary was not fenced"
    check(servers, writers, old)
    servers.rejoin(old)
    check(servers, writers)


def test_what_a_lost_primary_wrote_alone_is_undone_when_it_rejoins(servers: Servers, watcher: None) -> None:
    """Its standbys are cut off, so a commit stays on it and nobody is told of it; then it is lost."""
    old, standbys = servers.primary(), servers.standbys()
    for node in standbys:
        node.ask("ALTER SYSTEM SET primary_conninfo = ''")
        node.ask("SELECT pg_reload_conf()")
        wait_until(lambda node=node: not node.streams(), PATIENCE, f"{node.name} is cut off")
    told = threading.Event()

    def write() -> None:
        with suppress(psycopg2.Error), old.connect(name=APPLICATION).cursor() as cursor:
            cursor.execute("INSERT INTO journal VALUES ('alone')")
            told.set()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    wait_until(lambda: bool(old.ask(waiting)), PATIENCE, "the commit waits for a standby")
    old.kill()
    thread.join(10)
    assert not told.is_set(), "a commit was acknowledged that no standby has"
    wait_until(lambda: any(node.is_primary() for node in standbys), PATIENCE, "a standby is promoted")
    servers.rejoin(old)
    assert old.streams()
    for node in servers.nodes:
        assert "alone" not in keys_of(node), f"{node.name} has what was undone"


def test_whoever_may_be_primary_is_fenced_when_nobody_knows_who_is(servers: Servers, unwatched: None) -> None:
    """A coordinator that has just begun knows no primary, and a standby dies while the primary hangs."""
    old = servers.primary()
    lost, left = servers.standbys()
    lost.kill()
    servers.fail_over(lost, known=False)
    assert servers.primary() is old, "a primary that answers was replaced"
    old.pause()
    servers.fail_over(lost, known=False)
    assert old.pid is None, "the old primary was not fenced"
    assert servers.primary() is left
    for node in (old, lost):
        servers.rejoin(node)
        assert node.streams()


def test_servers_that_were_stopped_start_from_the_newest(servers: Servers, unwatched: None) -> None:
    """One was lost as primary and not brought back: it is not taken for the primary when all are started again."""
    old = servers.primary()
    old.kill()
    servers.fail_over(old)
    new = servers.primary()
    with new.connect(name=APPLICATION).cursor() as cursor:
        cursor.execute("INSERT INTO journal VALUES ('newer')")
    servers.stop()
    servers.start()
    assert servers.primary() is new
    for node in servers.nodes:
        wait_until(lambda node=node: "newer" in keys_of(node), PATIENCE, f"{node.name} has it")
