"""Web nodes as gunicorn serves them: full, draining, ended, restarted in turn."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from django.conf import settings

from bench.nodes import Node, behind_nginx, get, roll
from bench.stack import Stack, free_port, running

pytestmark = pytest.mark.processes
_ROOT = settings.BASE_DIR


def _until(condition: Callable[[], Any], patience: float = 20) -> Any:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("It did not come to be in time.")


# A node of one process and two threads, and an application that waits until it is told


class Held:
    """gunicorn as it is configured, with tests/local/held.py instead of Guildhall."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.port = free_port()
        given = {"PORT": str(self.port), "WEB_CONCURRENCY": "1", "WEB_THREADS": "2", "HELD": str(folder), **env}
        command = [sys.executable, "-m", "gunicorn", "tests.local.held", "-c", "config/gunicorn.conf.py"]
        environment = {**os.environ, **given, "DJANGO_SETTINGS_MODULE": "config.settings"}
        self.process = subprocess.Popen(command, cwd=_ROOT, env=environment)
        _until(lambda: self.process.poll() is not None or self.call("/healthz")[0] == 200)
        assert self.process.poll() is None

    @property
    def worker(self) -> psutil.Process:
        (found,) = psutil.Process(self.process.pid).children()
        return found

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def call(self, path: str, method: str = "GET", body: bytes = b"") -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = self.connect()
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except OSError:
            return 0, http.client.HTTPMessage(), b""
        finally:
            connection.close()

    def accepted(self) -> int:
        """Connections that the worker has taken."""
        found = self.worker.net_connections("tcp")
        return sum(each.laddr.port == self.port and each.status == psutil.CONN_ESTABLISHED for each in found)

    def ran(self) -> list[str]:
        path = self.folder / "ran"
        return path.read_text().split() if path.exists() else []

    def release(self) -> None:
        (self.folder / "release").touch()

    def begin(self, *paths: str) -> tuple[list[Any], list[threading.Thread]]:
        """Call these at once, each in a thread; where the answers will be, and the threads."""
        answers: list[Any] = [None] * len(paths)

        def call(place: int, path: str) -> None:
            answers[place] = self.call(path)

        threads = [threading.Thread(target=call, args=item, daemon=True) for item in enumerate(paths)]
        for thread in threads:
            thread.start()
        return answers, threads

    def close(self) -> None:
        self.release()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(40)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    node = Held(tmp_path)
    yield node
    node.close()


def _is_listening(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("kind", ["wait", "stream"])
def test_a_full_node_says_so_before_it_does_anything(held: Held, kind: str) -> None:
    """Two are worked on and two wait; an answer that streams holds its place until its last byte."""
    paths = [f"/{kind}/{number}" for number in range(4)]
    answers, threads = held.begin(*paths)
    _until(lambda: len(held.ran()) == 2 and held.accepted() == 4)
    status, headers, body = held.call("/quick", "POST", b"x" * 1_000_000)
    problem = json.loads(body)
    assert (status, headers["Content-Type"], headers["Retry-After"]) == (503, "application/problem+json", "1")
    assert (problem["code"], problem["status"], problem["request_id"]) == ("full", 503, headers["X-Request-ID"])
    assert held.call("/quick")[0] == 503
    assert held.call("/healthz")[::2] == (200, b"alive")
    assert len(held.ran()) == 2
    held.release()
    for thread in threads:
        thread.join(20)
    assert [status for status, _, _ in answers] == [200] * 4
    assert sorted(held.ran()) == paths
    assert held.call("/quick")[0] == 200


def test_what_runs_is_finished_and_nothing_new_begins(held: Held) -> None:
    kept = held.connect()
    kept.request("GET", "/quick")
    assert kept.getresponse().read() == b"done"
    answers, (thread,) = held.begin("/wait/1")
    _until(lambda: "/wait/1" in held.ran())
    held.process.send_signal(signal.SIGTERM)
    _until(lambda: not _is_listening(held.port))
    assert held.process.poll() is None
    # A connection that was kept open cannot be refused; who may ask another node is told to.
    kept.request("POST", "/quick", b"{}", {"Authorization": "Bearer t", "Idempotency-Key": "key-00000001"})
    answer = kept.getresponse()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert answer.headers["Connection"] == "close"
    assert json.loads(answer.read())["code"] == "draining"
    kept.close()
    held.release()
    thread.join(20)
    assert answers[0][::2] == (200, b"done")
    assert held.process.wait(20) == 0
    assert held.ran() == ["/quick", "/wait/1"]


def test_what_the_kernel_has_accepted_is_served_too(held: Held) -> None:
    """The process stands still while five clients connect and ask; the first it learns is that it shall end."""
    worker = held.worker
    worker.suspend()
    _until(lambda: worker.status() == psutil.STATUS_STOPPED)
    clients = [socket.create_connection(("127.0.0.1", held.port), timeout=20) for _ in range(5)]
    for client in clients[:4]:
        client.sendall(b"POST /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
    clients[4].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    held.process.send_signal(signal.SIGTERM)
    # gunicorn's first process closes its own door before it tells the others.
    _until(lambda: signal.SIGTERM in _pending(worker.pid))
    worker.resume()
    for client in clients:
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        client.close()
    assert held.process.wait(20) == 0
    assert held.ran() == ["/quick"] * 4


def _pending(pid: int) -> set[int]:
    """Signals that were sent to a process and not taken yet."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    masks = [int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd", "ShdPnd"))]
    return {number for number in range(1, 32) for mask in masks if mask >> (number - 1) & 1}


def test_a_request_that_does_not_end_is_cut_off(tmp_path: Path) -> None:
    node = Held(tmp_path, GRACEFUL_SECONDS="1")
    try:
        answers, (thread,) = node.begin("/wait/1")
        _until(lambda: node.ran())
        node.process.send_signal(signal.SIGTERM)
        node.process.wait(15)
        thread.join(20)
        assert answers[0][0] == 0
    finally:
        node.close()


# Guildhall itself


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("nodes"), jobs=False, start=False) as made:
        yield made


def test_a_rolling_restart_fails_no_request(stack: Stack) -> None:
    users = stack.seed("Ana", "Ben", "Cleo", "Dan")
    with behind_nginx(stack) as (port, nodes, _):
        journal = roll(port, nodes, [user["token"] for user in users])
    assert journal.failed == []
    assert journal.answered >= 90
    with psycopg2.connect(stack.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id::text FROM projects_project WHERE title = 'Rolling'")
        # Each once: what was asked for twice was made once.
        assert sorted(row[0] for row in cursor) == sorted(journal.made)


def test_a_balancer_sees_that_a_node_will_end_while_it_still_serves(stack: Stack) -> None:
    node = Node(stack, DRAIN_SECONDS="3")
    node.start()
    try:
        node.wait()
        assert get(node.port, "/readyz") == (200, {"ok": True, "failing": [], "degraded": []})
        assert node.process is not None
        node.process.terminate()
        _until(lambda: get(node.port, "/readyz")[0] == 503)
        assert get(node.port, "/readyz")[1]["failing"] == ["draining"]
        assert get(node.port, "/api/v1/time")[0] == 200
        connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=10)
        connection.request("GET", "/api/v1/time")
        assert connection.getresponse().headers["Connection"] == "close"
        connection.close()
        assert node.process.wait(30) == 0
        assert get(node.port, "/healthz")[0] == 0
    finally:
        node.close()


def test_a_node_tells_when_it_cannot_serve(stack: Stack) -> None:
    """A database that hangs, as one whose machine has stopped does, and a Redis that is not there."""
    postmaster = int((stack.data / "postgres" / "postmaster.pid").read_text().split()[0])
    node = Node(stack, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    node.start()
    try:
        node.wait()
        assert get(node.port, "/readyz") == (200, {"ok": True, "failing": [], "degraded": ["redis"]})
        family = [psutil.Process(postmaster), *psutil.Process(postmaster).children(recursive=True)]
        for process in family:
            process.suspend()
        try:
            _, said = _until(lambda: (found := get(node.port, "/readyz"))[0] == 503 and found)
            assert said["failing"] == ["database"]
            assert get(node.port, "/healthz") == (200, {"ok": True})
        finally:
            for process in family:
                process.resume()
        _until(lambda: get(node.port, "/readyz")[0] == 200)
    finally:
        node.close()


def test_a_node_warns_when_all_together_may_want_too_many_connections(stack: Stack) -> None:
    node = Node(stack, WEB_NODES="1000", LOG_FORMAT="json")
    node.start()
    try:
        node.wait()
        output = stack.data / f"web-{node.port}"
        line = _until(lambda: next((each for each in output.read_text().splitlines() if "max_connections" in each), ""))
        told = json.loads(line)
        assert (told["level"], told["logger"]) == ("WARNING", "guildhall.connections")
        assert "1000 web × 1 processes × (8 threads + 3)" in told["message"]
    finally:
        node.close()
