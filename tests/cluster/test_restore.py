"""Backups by `config/backup`: the database as it was at one moment, in a server of its own, and its ledger is whole."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from config.cluster.postgres import APPLICATION, Servers, address
from config.cluster.programs import ROOT, as_database_user, free_ports, own, wait_until

pytestmark = pytest.mark.processes
BACKUP = ROOT / "config" / "backup"
PATIENCE = 30


@dataclass
class Restored:
    """What `restore.sh` said, and the server that it made."""

    servers: Servers
    data: Path
    port: int
    code: int
    told: str

    @property
    def url(self) -> str:
        return address([self.port], APPLICATION, self.servers.secrets[APPLICATION], APPLICATION)

    def stop(self) -> None:
        command = [Path(self.servers.env["PGBIN"]) / "pg_ctl", "-D", self.data, "-m", "fast", "-s", "-w", "stop"]
        subprocess.run(as_database_user(command), env=self.servers.env, check=False, capture_output=True)


@dataclass
class Backups:
    """A backup folder that whoever is primary archives to, and an application that writes."""

    servers: Servers
    folder: Path
    made: list[Restored] = field(default_factory=list)

    @property
    def place(self) -> Path:
        return self.folder / "backups"

    @property
    def url(self) -> str:
        return self.servers.url(target_session_attrs="read-write")

    def archive(self, *, on: bool) -> None:
        """Let every server, should it be primary, hand its WAL over, or hand over no more."""
        command = f"{BACKUP / 'archive.sh'} {self.place} %p %f" if on else "/bin/true"
        for node in self.servers.nodes:
            if node.is_up():
                node.ask(f"ALTER SYSTEM SET archive_command = '{command}'")
                node.ask("SELECT pg_reload_conf()")

    def take(self, keep: int = 7) -> Path:
        primary = self.servers.primary()
        env = {**self.servers.env, "PGHOST": "127.0.0.1", "PGPORT": str(primary.port), "PGUSER": "repl"}
        command = as_database_user([BACKUP / "base.sh", self.place, str(keep)])
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return Path(done.stdout.strip())

    def wait_for_archive(self) -> None:
        """Until everything that is committed now is in the archive."""
        file = self.servers.primary().ask("SELECT pg_walfile_name(pg_switch_wal())")
        wait_until(lambda: (self.place / "wal" / file).exists(), PATIENCE, f"{file} is archived")

    def restore(self, target: str) -> Restored:
        data = self.folder / f"restored{len(self.made)}"
        (port,) = free_ports(1)
        command = as_database_user([BACKUP / "restore.sh", self.place, data, str(port), target])
        # Not into pipes: the server that is started would keep them open.
        path = self.folder / f"{data.name}.txt"
        with path.open("w") as output:
            done = subprocess.run(command, env=self.servers.env, stdout=output, stderr=output, check=False)
        self.made.append(Restored(self.servers, data, port, done.returncode, path.read_text()))
        return self.made[-1]

    def run(self, url: str, *arguments: str, text: str = "") -> str:
        """Run Python as a node does whose database is at `url`; what it writes."""
        env = {
            **os.environ,
            "GUILDHALL_MODE": "local",
            "GUILDHALL_DATA": str(self.folder / "node"),
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONWARNINGS": "ignore",
        }
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=env, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return done.stdout

    def pay_in(self, url: str, name: str, money: int) -> None:
        self.run(url, "-m", "bench.seed", text=json.dumps({"names": [name], "money": [money]}))


def purses(url: str) -> dict[str, int]:
    """What the people have whom this module made, by name."""
    return dict(
        query(
            url,
            "SELECT u.name, p.balance FROM accounts_user u JOIN ledger_purse p ON p.owner_id = u.id"
            " WHERE u.name IN ('Before', 'After', 'Later', 'Since')",
        )
    )


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def backups(servers: Servers, folder: Path) -> Iterator[Backups]:
    """The demo, a base backup of it, and WAL of what came after."""
    place = folder / "restore"
    place.mkdir()
    backups = Backups(servers, own(place))
    backups.archive(on=True)
    backups.run(backups.url, "manage.py", "release")
    backups.run(backups.url, "manage.py", "load_demo")
    backups.take()
    yield backups
    for each in backups.made:
        each.stop()
    backups.archive(on=False)


@pytest.fixture(scope="module")
def targets(backups: Backups) -> dict[str, str]:
    """One moment, named in three ways; Before has money then, and After gets some later."""
    backups.pay_in(backups.url, "Before", 1234)
    primary = backups.servers.primary()
    targets = {
        "name": "accident",
        "lsn": primary.ask("SELECT pg_create_restore_point('accident')::text"),
        "time": primary.ask("SELECT clock_timestamp()::text"),
    }
    backups.pay_in(backups.url, "After", 777)
    backups.wait_for_archive()
    return targets


@pytest.mark.parametrize("kind", ["time", "lsn", "name"])
def test_a_second_server_is_as_the_database_was(backups: Backups, targets: dict[str, str], kind: str) -> None:
    restored = backups.restore(f"{kind}={targets[kind]}")
    assert restored.code == 0, restored.told
    assert purses(restored.url) == {"Before": 1234}
    assert query(restored.url, "SELECT count(*) > 0 FROM work_assignment WHERE state = 'accepted'") == [(True,)]
    backups.run(restored.url, "manage.py", "audit_ledger")


def test_the_second_server_works_on_alone(backups: Backups, targets: dict[str, str]) -> None:
    restored = backups.restore(f"time={targets['time']}")
    assert restored.code == 0, restored.told
    backups.run(restored.url, "manage.py", "release")
    backups.pay_in(restored.url, "Since", 5)
    backups.run(restored.url, "manage.py", "audit_ledger")
    assert purses(restored.url) == {"Before": 1234, "Since": 5}
    assert purses(backups.url) == {"Before": 1234, "After": 777}
    newest = max(int(each.name[:8], 16) for each in (backups.place / "wal").iterdir())
    timeline = backups.servers.primary().ask("SELECT timeline_id FROM pg_control_checkpoint()")
    assert newest == timeline, "the second server archives into the first one's folder"


def test_a_moment_that_the_backups_do_not_reach_is_refused(backups: Backups, targets: dict[str, str]) -> None:
    after = backups.restore("time=2099-01-01 00:00:00+00")
    assert after.code != 0
    assert "before configured recovery target was reached" in after.told
    before = backups.restore("time=2020-01-01 00:00:00+00")
    assert before.code != 0
    assert "no base backup is older" in before.told
    for each in (after, before):
        with pytest.raises(psycopg2.OperationalError):
            query(each.url, "SELECT 1")


def test_wal_in_the_archive_is_never_replaced(backups: Backups, tmp_path: Path) -> None:
    source, file = tmp_path / "segment", "0" * 24
    archive = [BACKUP / "archive.sh", tmp_path / "kept", source, file]
    source.write_bytes(b"one")
    assert subprocess.run(archive, check=False).returncode == 0
    assert subprocess.run(archive, check=False).returncode == 0, "the same once more is no fault"
    source.write_bytes(b"two")
    assert subprocess.run(archive, check=False, capture_output=True).returncode == 1
    assert [each.name for each in (tmp_path / "kept" / "wal").iterdir()] == [file]
    assert (tmp_path / "kept" / "wal" / file).read_bytes() == b"one"


def test_backups_go_on_over_a_failover(backups: Backups, targets: dict[str, str]) -> None:
    """The next primary archives where the last one left off; older backups are forgotten, and what they needed."""
    old = backups.servers.primary()
    old.kill()
    backups.servers.fail_over(old)
    backups.pay_in(backups.url, "Later", 50)
    backups.wait_for_archive()
    restored = backups.restore("latest")
    assert restored.code == 0, restored.told
    assert purses(restored.url) == {"Before": 1234, "After": 777, "Later": 50}
    backups.run(restored.url, "manage.py", "audit_ledger")

    segments = {each.name for each in (backups.place / "wal").iterdir()}
    base = backups.take(keep=1)
    assert [each.name for each in (backups.place / "base").iterdir()] == [base.name]
    left = {each.name for each in (backups.place / "wal").iterdir()}
    assert segments - left, "WAL that no backup needs is kept"
    backups.wait_for_archive()
    restored = backups.restore("latest")
    assert restored.code == 0, restored.told
    assert purses(restored.url) == {"Before": 1234, "After": 777, "Later": 50}
    backups.servers.rejoin(old)
