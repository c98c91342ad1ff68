"""`make run`: what stops it is said in one sentence, and what it started ends with it."""

import ast
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from config.local import database, prepare, run, serve

_ROOT = settings.BASE_DIR


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _env(data: Path, **changes: str) -> dict[str, str]:
    dropped = {"DATABASE_URL", "GUILDHALL_MODE", "LOG_LEVEL", "MAKELEVEL", "MAKEFLAGS", "PUBLIC_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "GUILDHALL_DATA": str(data), "PORT": str(_free_port()), **changes}


def _refused(data: Path, *python: str, **changes: str) -> str:
    """What the command says when it does not start, which must be one sentence and no traceback."""
    command = [sys.executable, *(python or ("-m", "config.local.run"))]
    done = subprocess.run(command, cwd=_ROOT, env=_env(data, **changes), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stdout + done.stderr
    said = done.stderr.strip()
    assert "Traceback" not in said
    assert "\n" not in said
    assert said.endswith(".")
    assert not (data / "postgres").exists()
    return said


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


# What stops it


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert f"Port {port} is in use" in _refused(tmp_path, PORT=str(port))


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    assert "must be a number from 1 to 65535" in _refused(tmp_path, PORT=port)


def test_a_python_too_old(tmp_path: Path) -> None:
    old = "import sys, runpy; sys.version_info = (3, 9, 2, 'final', 0); runpy.run_module('{}', run_name='__main__')"
    for module in ("run", "test", "prepare"):
        said = _refused(tmp_path, "-c", old.format(f"config.local.{module}"))
        assert said.startswith("Guildhall needs Python 3.11 or later, and ")
        assert "is 3.9.2" in said


def test_an_old_python_can_read_far_enough_to_say_so() -> None:
    for name in ("run", "test", "prepare", "browser", "__init__"):
        ast.parse((_ROOT / "config" / "local" / f"{name}.py").read_text(), feature_version=(3, 7))


@pytest.mark.parametrize(
    ("programs", "sentence"),
    [
        ({}, "Node.js is missing"),
        ({"node": "echo v18.20.4"}, "Guildhall needs Node.js 20.19 or later, and"),
        ({"node": "echo v20.9.0"}, "Guildhall needs Node.js 20.19 or later, and"),
        ({"node": "echo v22.1.0"}, "npm is missing"),
    ],
    ids=["no node", "old node", "node a little too old", "no npm"],
)
def test_a_node_or_npm_that_is_missing_or_old(tmp_path: Path, programs: dict[str, str], sentence: str) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    for name, text in programs.items():
        _program(path / name, text)
    assert _refused(tmp_path, PATH=str(path)).startswith(sentence)


def test_a_database_that_nothing_answers_for(tmp_path: Path) -> None:
    port = _free_port()
    said = _refused(tmp_path, DATABASE_URL=f"postgresql://ana:secret@127.0.0.1:{port}/guildhall")
    assert f"cannot be reached at 127.0.0.1:{port}: connection refused" in said
    assert "secret" not in said


def test_a_database_on_a_host_that_is_none(tmp_path: Path) -> None:
    said = _refused(tmp_path, DATABASE_URL="postgresql://ana:secret@nowhere.invalid/guildhall")
    assert "cannot be reached at nowhere.invalid:5432" in said


@pytest.mark.parametrize("url", ["mysql://ana@localhost/guildhall", "guildhall", "postgresql://ana@localhost:x/y"])
def test_an_address_of_another_kind(tmp_path: Path, url: str) -> None:
    assert "DATABASE_URL must look like postgresql://" in _refused(tmp_path, DATABASE_URL=url)


def _refusal_of(url: str) -> str:
    with pytest.raises(prepare.Stop) as stop:
        serve.require_postgres(url)
    return str(stop.value)


def test_a_database_that_is_not_there() -> None:
    url = os.environ["DATABASE_URL"].replace("/guildhall?", "/nothere?")
    assert _refusal_of(url).endswith('database "nothere" does not exist.')


def test_a_database_that_is_new_enough() -> None:
    serve.require_postgres(os.environ["DATABASE_URL"])


@pytest.fixture
def postgres_14() -> Iterator[int]:
    """A port where something introduces itself as PostgreSQL 14.9, and no more."""

    def message(kind: bytes, body: bytes) -> bytes:
        return kind + (len(body) + 4).to_bytes(4, "big") + body

    parameters = {
        "server_version": "14.9",
        "client_encoding": "UTF8",
        "server_encoding": "UTF8",
        "DateStyle": "ISO, MDY",
        "integer_datetimes": "on",
        "standard_conforming_strings": "on",
    }
    welcome = message(b"R", (0).to_bytes(4, "big"))
    for name, value in parameters.items():
        welcome += message(b"S", f"{name}\0{value}\0".encode())
    welcome += message(b"K", bytes(8)) + message(b"Z", b"I")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    while len(request := client.recv(1024)) == 8:  # it asks for TLS first
                        client.sendall(b"N")
                    if request:
                        client.sendall(welcome)
                        client.recv(1024)

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]


def test_a_postgresql_too_old(postgres_14: int) -> None:
    url = f"postgresql://ana:secret@127.0.0.1:{postgres_14}/guildhall"
    run.require_reachable(url)
    assert _refusal_of(url) == (
        f"Guildhall needs PostgreSQL 15 or later, and the one at 127.0.0.1:{postgres_14} is 14.9."
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@db.example/x", "db.example:5432"),
        ("postgres://u:p@db.example:6432/x", "db.example:6432"),
        ("postgresql://u:p@[::1]:6432/x", "::1:6432"),
        ("postgresql://u:p@one,two:5433/x", "one:5432, two:5433"),
        ("postgresql:///x", "localhost:5432"),
        ("postgresql://u@/x?host=%2Frun%2Fpostgresql", "/run/postgresql"),
    ],
)
def test_a_database_is_named_without_its_password(url: str, shown: str) -> None:
    assert run.place(url) == shown


# What is done again


def test_the_client_is_built_again_only_when_a_source_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tmp_path / "client"
    for folder in ("src", "node_modules", "dist"):
        (client / folder).mkdir(parents=True)
    (client / "src" / "app.js").write_text("1")
    (client / "dist" / "index.html").write_text("built")
    built = []
    monkeypatch.setattr(prepare, "ROOT", tmp_path)
    monkeypatch.setattr(prepare, "CLIENT", client)
    monkeypatch.setattr(prepare, "call", lambda *_, **__: built.append(1))
    prepare.client()
    prepare.client()
    assert len(built) == 1
    (client / "node_modules" / "package.js").write_text("not a source")
    (client / "dist" / "index.html").write_text("not a source")
    prepare.client()
    assert len(built) == 1
    (client / "src" / "app.js").write_text("2")
    prepare.client()
    assert len(built) == 2
    (client / "dist" / "index.html").unlink()
    prepare.client()
    assert len(built) == 3


def test_a_step_that_fails_shows_its_last_lines_and_takes_its_children_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUILDHALL_DATA", str(tmp_path))
    with pytest.raises(prepare.Stop, match=r"the reason(?s:.*)It failed\. The whole output is in .*trying\.log\."):
        prepare.call("Trying", ["sh", "-c", "echo the reason; exit 3"], failed="It failed.")


# What it starts, and stops


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("run")
    # The embedded server runs as a user of its own where this is root.
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(0o755)
    yield folder
    for process in _started_with(folder):
        process.kill()
    shutil.rmtree(folder, ignore_errors=True)


def _started_with(data: Path) -> list[psutil.Process]:
    """Every process that has the data folder in its environment, or runs on it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("GUILDHALL_DATA") == str(data) or str(data) in " ".join(process.cmdline()):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return [process for process in found if process.pid != os.getpid()]


class Running:
    """`make run` as a shell starts it: the leader of a process group."""

    def __init__(self, data: Path, **changes: str) -> None:
        self.data = data
        env = _env(data, **changes)
        self.address = f"http://127.0.0.1:{env['PORT']}"
        self.output = data / "output"
        self.started = time.monotonic()
        with open(self.output, "wb") as output:
            self.make = subprocess.Popen(
                ["make", "run", f"PYTHON={sys.executable}"],
                cwd=_ROOT,
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def wait_until_ready(self, seconds: float = 180) -> float:
        """Seconds from the start until it said that it is ready."""
        while "Ctrl-C stops it." not in self.said():
            assert self.make.poll() is None, self.said()
            assert time.monotonic() - self.started < seconds, self.said()
            time.sleep(0.1)
        return time.monotonic() - self.started

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def get(self, path: str) -> int:
        with urllib.request.urlopen(self.address + path, timeout=10) as response:
            return int(response.status)

    def command(self) -> psutil.Process:
        (child,) = psutil.Process(self.make.pid).children()
        return child

    def assert_nothing_left(self, seconds: float = 25) -> None:
        deadline = time.monotonic() + seconds
        while left := _started_with(self.data):
            assert time.monotonic() < deadline, (left, self.said())
            time.sleep(0.1)
        port = int(self.address.rpartition(":")[2])
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.processes
class TestLife:
    def test_the_first_start_ends_with_an_address_and_accounts_and_ctrl_c_stops_all(self, data: Path) -> None:
        running = Running(data)
        running.wait_until_ready()
        said = running.said()
        assert f"Guildhall is ready at {running.address}" in said
        assert re.search(r"\S+@\S+.*", said.partition("is ready at")[2]), "no demo account is told"
        assert running.get("/readyz") == 200
        assert running.get("/") == 200
        assert database.is_running(data / "postgres")
        os.killpg(running.make.pid, signal.SIGINT)
        running.make.wait(timeout=30)
        running.assert_nothing_left()
        assert "Traceback" not in running.said()

    def test_the_second_start_takes_under_ten_seconds_and_sigterm_to_make_stops_all(self, data: Path) -> None:
        running = Running(data)
        assert running.wait_until_ready() < 10
        running.make.terminate()
        running.make.wait(timeout=30)
        running.assert_nothing_left()

    def test_sigterm_to_the_command_alone_stops_all_and_ends_well(self, data: Path) -> None:
        running = Running(data)
        running.wait_until_ready()
        running.command().terminate()
        assert running.make.wait(timeout=30) == 0
        running.assert_nothing_left()

    def test_a_make_that_is_killed_leaves_nothing(self, data: Path) -> None:
        running = Running(data)
        running.wait_until_ready()
        running.make.kill()
        running.make.wait()
        running.assert_nothing_left()

    def test_a_command_that_is_killed_is_cleaned_up_after_by_the_next(self, data: Path) -> None:
        running = Running(data)
        running.wait_until_ready()
        running.command().kill()
        running.make.wait(timeout=30)
        again = Running(data)
        again.wait_until_ready()
        os.killpg(again.make.pid, signal.SIGINT)
        again.make.wait(timeout=30)
        again.assert_nothing_left()

    def test_a_signal_while_it_starts_stops_what_there_is(self, data: Path) -> None:
        running = Running(data)
        while "Bringing the database up to date" not in running.said():
            time.sleep(0.02)
        os.killpg(running.make.pid, signal.SIGINT)
        running.make.wait(timeout=30)
        running.assert_nothing_left()
        assert "Traceback" not in running.said()

    def test_a_process_that_dies_ends_all_with_an_error(self, data: Path) -> None:
        running = Running(data)
        running.wait_until_ready()
        (jobs,) = [each for each in _started_with(data) if each.cmdline()[-2:] == ["manage.py", "jobs"]]
        jobs.kill()
        assert running.make.wait(timeout=30) != 0
        running.assert_nothing_left()

    def test_a_second_one_in_the_same_folder_is_refused(self, data: Path) -> None:
        running = Running(data)
        running.wait_until_ready()
        command = [sys.executable, "-m", "config.local.run"]
        second = subprocess.run(command, cwd=_ROOT, env=_env(data), capture_output=True, text=True, timeout=60)
        assert second.returncode == 1
        assert second.stderr.strip().startswith(f"Guildhall already runs from {data} (process ")
        os.killpg(running.make.pid, signal.SIGINT)
        running.make.wait(timeout=30)
        running.assert_nothing_left()

    def test_a_server_that_ran_before_is_left_running(self, data: Path) -> None:
        directory = data / "postgres"
        database.start(directory)
        running = Running(data)
        running.wait_until_ready()
        os.killpg(running.make.pid, signal.SIGINT)
        running.make.wait(timeout=30)
        assert database.is_running(directory)
        database.stop(directory)
        running.assert_nothing_left()

    def test_a_database_of_ones_own_is_used_instead(self, data: Path) -> None:
        directory = data / "postgres"
        server = database.start(directory)
        other = data.parent / f"{data.name}-other"
        other.mkdir()
        running = Running(other, DATABASE_URL=database.url_of(server, "ones_own"))
        running.wait_until_ready()
        assert running.get("/readyz") == 200
        assert not (other / "postgres").exists()
        os.killpg(running.make.pid, signal.SIGINT)
        running.make.wait(timeout=30)
        running.assert_nothing_left()
        assert database.is_running(directory)
        database.stop(directory)


def test_a_number_taken_over_from_a_killed_server_does_not_stop_the_start(data: Path) -> None:
    directory = data / "stale"
    database.start(directory)
    database.stop(directory)
    (directory / "postmaster.pid").write_text(f"{os.getpid()}\n{directory}\n1700000000\n5432\n/tmp\n\n1 2\nready\n")
    assert not database.is_running(directory)
    server = database.start(directory)
    assert database.url_of(server, "guildhall")
    database.stop(directory)
    assert not database.is_running(directory)
