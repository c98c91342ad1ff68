"""Rate limits that nodes share: with a Redis, while it is gone, and when it comes back."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis as driver

from api.core import limits, redis
from bench.stack import free_port
from config.cluster.programs import find

ME = "/api/v1/me"


class Server:
    """A Redis on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [find("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder]
        self.process = subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("Redis did not start.")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def server(settings, tmp_path, monkeypatch) -> Iterator[Server]:
    """A Redis that all nodes know, and a window that does not end meanwhile."""
    made = Server(tmp_path)
    settings.REDIS_URL = made.url
    settings.RATE_LIMITS = {"user": 10, "application": 100, "address": 10, "secret": 10}
    monkeypatch.setattr(limits.time, "time", lambda: 1_700_000_018.0)
    monkeypatch.setattr(redis, "_asked_again_at", 0.0)
    yield made
    made.kill()
    limits._table.cache_clear()


@pytest.fixture
def on_node(settings, tmp_path) -> Callable[[str], None]:
    """`on_node("a")`: from here on this is the node of that name."""

    def go(name: str) -> None:
        settings.RATE_LIMIT_FILE = tmp_path / f"limits-{name}"
        limits._table.cache_clear()

    return go


def _left() -> int:
    return limits.count("user", "ana").remaining


def test_nodes_share_one_count(server: Server, on_node: Callable[[str], None]) -> None:
    left = []
    for node in ("a", "b", "c", "a", "b"):
        on_node(node)
        left.append(_left())
    assert left == [9, 8, 7, 6, 5]
    assert limits.count("user", "ben").remaining == 9


def test_the_limit_holds_over_nodes(server: Server, on_node: Callable[[str], None], api, make_user) -> None:
    client = api(make_user())
    statuses = []
    for turn in range(12):
        on_node("ab"[turn % 2])
        statuses.append(client.get(ME).status_code)
    assert statuses == [200] * 10 + [429] * 2


def test_several_limits_are_one_round_trip(server: Server, on_node: Callable[[str], None]) -> None:
    on_node("a")
    _left()
    admin = driver.Redis.from_url(server.url)
    before = admin.info("stats")["total_commands_processed"]
    user, application = limits.count_all([("user", "ana"), ("application", "1")])
    assert (user.remaining, application.remaining) == (8, 99)
    # Four, and the two questions about it.
    assert admin.info("stats")["total_commands_processed"] - before <= 6


def test_counts_end_by_themselves_and_name_nobody(server: Server, on_node: Callable[[str], None]) -> None:
    on_node("a")
    _left()
    admin = driver.Redis.from_url(server.url, decode_responses=True)
    (key,) = admin.keys("limit:*")
    assert "ana" not in key
    assert 0 < admin.ttl(key) <= 2 * limits.WINDOW


def test_without_redis_each_node_goes_on_from_what_it_has_seen(
    server: Server, on_node: Callable[[str], None], monkeypatch
) -> None:
    for node in ("a", "a", "a", "b"):
        on_node(node)
        _left()
    server.kill()
    on_node("a")
    # Not from nothing: it has counted three itself.
    assert [_left() for _ in range(8)] == [6, 5, 4, 3, 2, 1, 0, -1]
    server.start()
    monkeypatch.setattr(redis, "_asked_again_at", 0.0)
    on_node("b")
    # A new Redis knows nothing, so the node's own count holds.
    assert _left() == 8


def test_a_redis_that_is_gone_is_not_asked_for_each_request(
    server: Server, on_node: Callable[[str], None], monkeypatch
) -> None:
    on_node("a")
    server.kill()
    asked: list[int] = []
    shared = limits._count_shared
    monkeypatch.setattr(limits, "_count_shared", lambda *given: asked.append(1) or shared(*given))
    monkeypatch.setattr(redis, "PAUSE", 60.0)
    assert [_left() for _ in range(5)] == [9, 8, 7, 6, 5]
    assert asked == [1]
