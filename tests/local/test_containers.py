"""The containers' own scripts, without containers: three servers and pgpool make themselves, and survive a loss.

What a container has for itself is a folder here: its copy of the scripts' place, its run folder, its volume.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from django.conf import settings

from config.cluster import programs

pytestmark = pytest.mark.processes
_CONFIG = settings.BASE_DIR / "config"
_NAMES = ("db1", "db2", "db3")


def _until(condition: Callable[[], Any], patience: float = 60) -> Any:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("It did not come to be in time.")


class Containers:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        *self.ports, self.pool, pcp = programs.free_ports(5)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        for place in ("bin", "data", *(f"data/{name}" for name in _NAMES), *(f"run-{n}" for n in (*_NAMES, "pgpool"))):
            (folder / place).mkdir()
            programs.own(folder / place)
        for source in (*(_CONFIG / "pgpool").iterdir(), *(_CONFIG / "containers").iterdir()):
            shutil.copy(source, folder / "bin")
        self.env = {
            "PATH": os.environ["PATH"],
            "NODES": " ".join(f"{name}@127.0.0.1:{port}" for name, port in zip(_NAMES, self.ports, strict=True)),
            "POSTGRES_PASSWORD": "word-of-the-application",
            "POSTGRES_ADMIN_PASSWORD": "word-of-the-admin",
            "DATA": str(folder / "data"),
            "LISTEN": "127.0.0.1",
            "CHILDREN": "8",
            "PORT": str(self.pool),
            "PCP_PORT": str(pcp),
        }

    def start(self, name: str) -> None:
        """What `docker compose up` does for one container."""
        script = "pgpool.sh" if name == "pgpool" else "postgres.sh"
        env = {**self.env, "RUN": str(self.folder / f"run-{name}"), "NODE": name}
        command = programs.as_database_user([self.folder / "bin" / script])
        with (self.folder / f"{name}.log").open("ab") as output:
            self.running[name] = subprocess.Popen(
                command, env=env, cwd=self.folder, stdout=output, stderr=output, start_new_session=True
            )

    def family(self, name: str) -> list[psutil.Process]:
        parent = psutil.Process(self.running[name].pid)
        return [*parent.children(recursive=True), parent]

    def ask(self, name: str, sql: str) -> Any:
        """The first value that a server answers its administrator; None when it does not answer."""
        port = self.ports[_NAMES.index(name)]
        return self._ask(port, "postgres", self.env["POSTGRES_ADMIN_PASSWORD"], "postgres", sql)

    def through_pgpool(self, sql: str) -> Any:
        """The same of whoever is primary, as the application."""
        return self._ask(self.pool, "guildhall", self.env["POSTGRES_PASSWORD"], "guildhall", sql)

    def _ask(self, port: int, user: str, password: str, database: str, sql: str) -> Any:
        try:
            connection = psycopg2.connect(
                host="127.0.0.1", port=port, user=user, password=password, dbname=database, connect_timeout=2
            )
        except psycopg2.OperationalError:
            return None
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchone()[0]
        except psycopg2.Error:
            return None
        finally:
            connection.close()

    def streaming(self, name: str) -> int:
        """How many standbys follow a server. One that is still being copied has another name."""
        followed = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name LIKE 'db_'"
        return self.ask(name, followed) or 0

    def stop(self) -> None:
        for name in reversed(self.running):
            process = self.running[name]
            if process.poll() is None:
                for each in self.family(name):
                    each.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGTERM if name == "pgpool" else signal.SIGINT)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    for each in self.family(name):
                        each.kill()
                    process.wait()


@pytest.fixture
def containers() -> Iterator[Containers]:
    if missing := programs.missing():
        pytest.skip(f"needs {', '.join(missing)}")
    folder = Path(tempfile.mkdtemp(prefix="guildhall-containers-"))
    programs.own(folder)
    made = Containers(folder)
    try:
        yield made
    finally:
        made.stop()
        for log in folder.glob("*.log"):
            print(f"{log.name}\n{log.read_text(errors='replace')[-3000:]}")
        shutil.rmtree(folder, ignore_errors=True)


def test_a_primary_that_hangs_is_fenced_succeeded_and_comes_back_as_a_standby(containers: Containers) -> None:
    for name in _NAMES:
        containers.start(name)
    _until(lambda: containers.streaming("db1") == 2)
    containers.start("pgpool")
    _until(lambda: containers.through_pgpool("CREATE TABLE seen (n int); SELECT 1") == 1)
    assert containers.through_pgpool("INSERT INTO seen VALUES (1) RETURNING n") == 1
    for process in containers.family("db1"):
        process.suspend()
    _until(lambda: containers.through_pgpool("INSERT INTO seen VALUES (2) RETURNING n") == 2)
    assert containers.running["db1"].wait(10) == -signal.SIGKILL
    standbys = ("db2", "db3")
    (primary,) = [name for name in standbys if containers.ask(name, "SELECT pg_is_in_recovery()") is False]
    assert containers.through_pgpool("SELECT count(*) FROM seen WHERE n = 1") == 1

    # All of it goes down, and comes up in the worst order: the one that was primary when it was lost first.
    (standby,) = set(standbys) - {primary}
    for name in ("pgpool", standby, primary):
        containers.running[name].send_signal(signal.SIGTERM if name == "pgpool" else signal.SIGINT)
        containers.running[name].wait(20)
    for name in ("db1", standby, primary):
        containers.start(name)
    _until(lambda: containers.streaming(primary) == 2)
    # A node that is being copied is counted as streaming, and does not answer yet.
    parts = ("db1", standby, primary)
    _until(lambda: [containers.ask(name, "SELECT pg_is_in_recovery()") for name in parts] == [True, True, False])
    containers.start("pgpool")
    assert _until(lambda: containers.through_pgpool("SELECT count(DISTINCT n) FROM seen")) == 2
