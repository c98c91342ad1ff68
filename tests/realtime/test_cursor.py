"""Reading the outbox on: nothing is missed, nothing comes twice, whatever commits when."""

import random
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections, transaction

from api.realtime import cursor, outbox


def publish(type_: str = "thing.changed", subject: UUID | None = None, data: dict[str, Any] | None = None) -> None:
    with transaction.atomic():
        outbox.publish(type_, subject=subject or uuid4(), data=data)


class Open:
    """A transaction in a thread of its own, which has published and not yet committed."""

    def __init__(self, type_: str) -> None:
        self.commit = threading.Event()
        self.published = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(type_,))
        self.thread.start()
        assert self.published.wait(10)

    def _run(self, type_: str) -> None:
        try:
            with transaction.atomic():
                outbox.publish(type_, subject=uuid4())
                self.published.set()
                self.commit.wait(10)
        finally:
            connections.close_all()

    def finish(self) -> None:
        self.commit.set()
        self.thread.join(10)


@pytest.fixture
def opened(transactional_db: None) -> Iterator[Any]:
    made: list[Open] = []

    def make(type_: str) -> Open:
        made.append(Open(type_))
        return made[-1]

    yield make
    for each in made:
        each.finish()


def types(page: cursor.Page) -> list[str]:
    return [event.type for event in page.events]


@pytest.mark.django_db(transaction=True)
def test_what_commits_late_with_a_low_id_is_not_missed(opened: Any) -> None:
    start = cursor.now()
    slow = opened("slow.one")
    publish("quick.one")
    first = cursor.read(start)
    assert types(first) == ["quick.one"]
    publish("quick.two")
    slow.finish()
    second = cursor.read(first.cursor)
    assert types(second) == ["slow.one", "quick.two"]
    assert second.events[0].id < first.events[0].id, "it has the lower id, and came later"
    assert types(cursor.read(second.cursor)) == []


@pytest.mark.django_db(transaction=True)
def test_a_read_in_parts_is_the_same_as_one_read(opened: Any) -> None:
    start = cursor.now()
    slow = opened("slow.one")
    for number in range(7):
        publish(f"number.{number}")
    page = cursor.read(start, limit=3)
    assert page.more
    slow.finish()
    publish("later.one")
    seen = types(page)
    while page.more:
        page = cursor.read(page.cursor, limit=3)
        seen += types(page)
    assert seen == [f"number.{number}" for number in range(7)], "the parts end where the first began"
    assert types(cursor.read(page.cursor)) == ["slow.one", "later.one"]


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_one_reader() -> None:
    """Transactions of random length, rolled back at times: the reader ends with exactly what was committed."""
    start = cursor.now()
    stop = threading.Event()
    chance = random.Random(7)
    plans = [[(chance.random() * 0.004, chance.random() < 0.2) for _ in range(40)] for _ in range(6)]

    def write(plan: list[tuple[float, bool]]) -> None:
        try:
            for pause, fails in plan:
                try:
                    with transaction.atomic():
                        outbox.publish("thing.made", subject=uuid4())
                        stop.wait(pause)
                        outbox.publish("thing.done", subject=uuid4())
                        if fails:
                            raise KeyError
                except KeyError:
                    pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    at = start
    while any(thread.is_alive() for thread in threads):
        page = cursor.read(at, limit=17)
        seen += [event.id for event in page.events]
        at = page.cursor
    while True:
        page = cursor.read(at, limit=17)
        seen += [event.id for event in page.events]
        if page.cursor == at:
            break
        at = page.cursor
    with connection.cursor() as query:
        query.execute("SELECT id FROM realtime_event")
        there = {row[0] for row in query.fetchall()}
    assert len(seen) == len(set(seen)), "something came twice"
    assert set(seen) == there


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "1", "a:b:c", "1:2", "1:2:|x", "1:2:3|4"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no cursor|literal"):
        cursor.read(text)
