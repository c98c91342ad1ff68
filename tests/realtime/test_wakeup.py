"""Waking gateways up: one contract, by Redis and by PostgreSQL."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction

from api.core import redis
from api.realtime import outbox, wakeup
from api.realtime.wakeup import LOOK, MAX_TEXT, PostgresWakeup, RedisWakeup, Wakeup
from tests.realtime.sockets import Loop, RedisServer, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


class Listener:
    """Somebody who listens: `heard` are the texts, `subscribed` counts how often listening began."""

    def __init__(self, loop: Loop, way: Wakeup) -> None:
        self.heard: list[str] = []
        self.subscribed = 0
        self._loop = loop
        self.task = loop.run(self._start(way))
        wait_for(lambda: self.subscribed, "nobody listens")

    async def _start(self, way: Wakeup) -> "asyncio.Task[None]":
        return asyncio.create_task(way.listen(self.heard.append, self._count))

    def _count(self) -> None:
        self.subscribed += 1

    def stop(self) -> None:
        async def cancel() -> None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

        self._loop.run(cancel())


@pytest.fixture(params=["redis", "postgres"])
def way(request: pytest.FixtureRequest, settings: Any) -> Wakeup:
    if request.param == "redis":
        request.getfixturevalue("redis_server")
        return RedisWakeup()
    settings.REDIS_URL = ""
    return PostgresWakeup()


@pytest.fixture
def listen(loop: Loop, way: Wakeup) -> Iterator[Callable[[], Listener]]:
    made: list[Listener] = []

    def start() -> Listener:
        made.append(Listener(loop, way))
        return made[-1]

    yield start
    for each in made:
        each.stop()


@pytest.fixture(autouse=True)
def forgiven(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What another test's Redis did is not held against this one's."""
    monkeypatch.setattr(redis, "_asked_again_at", 0.0)
    yield
    wakeup.bell.close()


def elsewhere(work: Callable[[], Any]) -> None:
    """Do it in a thread, which has a database session of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)


def test_everybody_who_listens_hears_what_is_sent(way: Wakeup, listen: Callable[[], Listener]) -> None:
    one, other = listen(), listen()
    texts = [LOOK, '{"frame": {"type": "typing"}}', "é" * 100, "x" * MAX_TEXT]
    for text in texts:
        assert way.send(text)
    wait_for(lambda: one.heard == other.heard == texts, f"{len(one.heard)} and {len(other.heard)} of {len(texts)}")


def test_the_way_in_use_is_that_of_the_settings(way: Wakeup) -> None:
    assert type(wakeup.wakeup()) is type(way)


def test_an_event_wakes_up_once_it_is_committed_and_not_before(way: Wakeup, listen: Callable[[], Listener]) -> None:
    listener = listen()
    with transaction.atomic():
        for _ in range(3):
            outbox.publish("thing.changed", subject=uuid4())
        elsewhere(lambda: way.send("before"))
        wait_for(lambda: listener.heard == ["before"], f"{listener.heard}")
    wait_for(lambda: listener.heard == ["before", LOOK], f"{listener.heard}")


def test_what_is_rolled_back_wakes_nobody(way: Wakeup, listen: Callable[[], Listener]) -> None:
    listener = listen()
    with transaction.atomic():
        outbox.publish("thing.changed", subject=uuid4())
        transaction.set_rollback(True)
    way.send("after")
    wait_for(lambda: "after" in listener.heard, "nothing was heard")
    assert listener.heard == ["after"]


def test_many_commits_at_once_are_few_wakeups(way: Wakeup, listen: Callable[[], Listener]) -> None:
    listener = listen()
    began = time.monotonic()
    for _ in range(300):
        wakeup.after_commit()
    wait_for(lambda: listener.heard, "nobody was woken up")
    way.send("end")
    wait_for(lambda: "end" in listener.heard, "the end was not heard")
    took = time.monotonic() - began
    assert listener.heard.count(LOOK) <= 2 + took / wakeup._PAUSE


def test_ringing_costs_the_request_next_to_nothing(way: Wakeup) -> None:
    wakeup.bell.ring()
    began = time.perf_counter()
    for _ in range(10_000):
        wakeup.bell.ring()
    assert (time.perf_counter() - began) / 10_000 < 50e-6


@pytest.mark.parametrize("way", ["postgres"], indirect=True)
def test_a_listener_whose_server_session_is_ended_listens_again(way: Wakeup, listen: Callable[[], Listener]) -> None:
    listener = listen()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'guildhall-listen'"
        )
    wait_for(lambda: listener.subscribed == 2, "the listener did not come back")
    way.send("again")
    wait_for(lambda: listener.heard == ["again"], f"{listener.heard}")


@pytest.mark.parametrize("way", ["redis"], indirect=True)
def test_a_redis_that_is_gone_costs_one_time_out_and_comes_back(
    way: Wakeup, listen: Callable[[], Listener], redis_server: RedisServer
) -> None:
    listener = listen()
    redis_server.kill()
    began = time.monotonic()
    assert [way.send("lost") for _ in range(1000)] == [False] * 1000
    assert time.monotonic() - began < 2 * redis.TIMEOUT + 1
    redis_server.start()
    wait_for(lambda: listener.subscribed == 2, "the listener did not come back")
    wait_for(lambda: way.send("again"), "the sender did not come back")
    wait_for(lambda: "again" in listener.heard, f"{listener.heard}")


def test_a_process_that_was_forked_rings_for_itself() -> None:
    """gunicorn forks its workers: the thread stays behind, so a child must start its own."""
    wakeup.bell.ring()
    inherited, its_end = wakeup.bell._thread, wakeup.bell._closed
    wakeup.bell._process += 1
    wakeup.bell.ring()
    assert inherited is not None
    assert wakeup.bell._thread is not None
    assert wakeup.bell._thread is not inherited
    assert wakeup.bell._thread.is_alive()
    its_end.set()
    wait_for(lambda: wakeup.bell.ring() or not inherited.is_alive(), "the first thread goes on")


def test_many_threads_that_ring_first_start_one_thread(together: Callable[..., list[Any]]) -> None:
    wakeup.bell.close()
    together(*[wakeup.bell.ring for _ in range(8)])
    assert sum(thread.name == "wakeup" and thread.is_alive() for thread in threading.enumerate()) == 1


def test_a_thread_that_has_died_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ended it: otherwise this process would wake nobody up any more."""

    def end() -> Wakeup:
        raise SystemExit

    wakeup.bell.close()
    with monkeypatch.context() as patch:
        patch.setattr(wakeup, "wakeup", end)
        wakeup.bell.ring()
        dead = wakeup.bell._thread
        assert dead is not None
        dead.join(5)
        assert not dead.is_alive()
    wakeup.bell.ring()
    assert wakeup.bell._thread is not dead
    assert wakeup.bell._thread is not None
    assert wakeup.bell._thread.is_alive()
