"""Progress rolled up from events: each counted once, whatever else is going on."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from statistics import median
from threading import Event as Signal
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from api.projects import services
from api.projects.models import ProjectMinute, ProjectStats, RollUpCursor
from api.projects.services import rollup
from api.realtime import outbox
from api.realtime.models import Event
from tests.factories import make_user
from tests.projects.build import draft, published

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project():
    project = published(make_user("Owner"))
    catch_up()
    return project


def catch_up() -> int:
    count = 0
    while done := services.roll_up():
        count += done
    return count


def tell(project, type_: str, **data) -> None:
    with transaction.atomic():
        outbox.publish(type_, subject=uuid4(), data={"project": str(project.id), **data})


def stats(project) -> ProjectStats:
    return ProjectStats.objects.get(project=project)


def test_an_assignment_moves_from_state_to_state(project) -> None:
    tell(project, "assignment.claimed", first=True)
    assert services.roll_up() == 1
    assert (stats(project).claimed, stats(project).open_places, stats(project).workers) == (1, 5, 1)
    tell(project, "assignment.submitted", **{"from": "claimed"}, seconds=20.0)
    tell(project, "assignment.sent_back", **{"from": "submitted"})
    tell(project, "assignment.submitted", **{"from": "sent_back"})
    tell(project, "assignment.accepted", **{"from": "submitted"}, review_seconds=90.0)
    assert services.roll_up() == 4
    now = stats(project)
    assert now.counts() | {"tasks": 3, "open_places": 5, "accepted": 1, "claimed": 0} == now.counts()
    assert sum(now.counts().values()) == 3 + 5 + 1
    assert (now.median_seconds, now.hourly_wage) == (20.0, 1800)
    assert (now.recent_review_seconds, now.median_review_seconds) == ([90.0], 90.0)
    minute = ProjectMinute.objects.get()
    assert (minute.submitted, minute.accepted) == (2, 1)
    assert services.roll_up() == 0


def test_places_and_money_that_come_back(project) -> None:
    tell(project, "assignment.claimed")
    tell(project, "assignment.returned", **{"from": "claimed"})
    tell(project, "place.reopened", places=1)
    tell(project, "escrow.changed", funded=-7)
    catch_up()
    now = stats(project)
    assert (now.open_places, now.claimed, now.returned, now.funded) == (6, 0, 1, 53)


def test_other_events_and_projects_that_are_gone_change_nothing(project) -> None:
    before = ProjectStats.objects.values().get()
    with transaction.atomic():
        outbox.publish("deposit.confirmed", subject=uuid4(), data={"amount": 3})
        outbox.publish("assignment.claimed", subject=uuid4(), data={"project": str(uuid4())})
        outbox.publish(
            "assignment.submitted", subject=uuid4(), data={"project": str(uuid4()), "seconds": 1, "from": "claimed"}
        )
    catch_up()
    assert ProjectStats.objects.values().get() == before


def test_durations_fill_the_ring_and_the_histogram(project) -> None:
    for seconds in [0.5, 1.0, 1.2, *([26.0] * 300), 200_000.0]:
        tell(project, "assignment.submitted", **{"from": "claimed"}, seconds=seconds)
    catch_up()
    now = stats(project)
    assert len(now.recent_seconds) == rollup.RING
    assert now.recent_seconds[-1] == 200_000.0
    assert now.median_seconds == 26.0
    assert sum(now.histogram) == 304
    rows = rollup.histogram_rows(now.histogram)
    assert rows[0] == {"from": 0.0, "to": 1.0, "count": 2}
    assert rows[1] == {"from": 1.0, "to": 1.5, "count": 1}
    assert rows[-1] == {"from": 86_400.0, "to": None, "count": 1}
    assert {row["to"]: row["count"] for row in rows}[30.0] == 300


def test_the_median_of_reviews_is_of_the_newest(project) -> None:
    for seconds in [900_000.0, 30.0, 10.0]:
        tell(project, "assignment.accepted", **{"from": "submitted"}, review_seconds=seconds)
    catch_up()
    assert stats(project).median_review_seconds == 30.0
    for _ in range(rollup.RING - 1):
        tell(project, "assignment.rejected", **{"from": "submitted"}, review_seconds=5.0)
    tell(project, "assignment.submitted", **{"from": "claimed"}, seconds=1.0)
    catch_up()
    now = stats(project)
    assert (now.recent_review_seconds[0], now.median_review_seconds) == (10.0, 5.0)


@pytest.mark.parametrize("durations", [[], [7.0], [9.0, 1.0], [3.5, 60.0, 2.0], [8.0, 1.0, 4.0, 2.5]])
def test_the_migration_fills_in_the_median_of_reviews(project, durations) -> None:
    ProjectStats.objects.filter(project=project).update(recent_review_seconds=durations)
    with connection.cursor() as cursor:
        cursor.execute(import_module("api.projects.migrations.0006_median_review_seconds").FILL)
    assert stats(project).median_review_seconds == (median(durations) if durations else None)


def test_a_transaction_that_stays_open_holds_nobody_up_and_is_counted_once(together, project) -> None:
    written, counted = Signal(), Signal()

    def slow() -> None:
        with transaction.atomic():
            outbox.publish("assignment.claimed", subject=uuid4(), data={"project": str(project.id)})
            written.set()
            assert counted.wait(10)

    def others() -> list[int]:
        assert written.wait(10)
        seen = []
        for _ in range(3):
            tell(project, "assignment.claimed")
            services.roll_up()
            seen.append(stats(project).claimed)
        counted.set()
        return seen

    assert together(slow, others)[1] == [1, 2, 3]
    catch_up()
    assert stats(project).claimed == 4


def test_a_rollback_is_not_counted(project) -> None:
    with transaction.atomic():
        outbox.publish("assignment.claimed", subject=uuid4(), data={"project": str(project.id)})
        transaction.set_rollback(True)
    tell(project, "assignment.claimed")
    catch_up()
    assert stats(project).claimed == 1


def test_more_events_than_one_round_takes(project, monkeypatch) -> None:
    monkeypatch.setattr(rollup, "ROUND", 7)
    with transaction.atomic():
        for _ in range(20):
            outbox.publish("assignment.claimed", subject=uuid4(), data={"project": str(project.id)})
    assert services.roll_up() == 7
    # Those of the next transaction wait until the round that has begun is over.
    tell(project, "assignment.claimed")
    catch_up()
    assert stats(project).claimed == 21
    assert RollUpCursor.objects.get().target == ""


def test_several_processes_count_every_event_once(together, project) -> None:
    """Writers in transactions of all lengths, three processes that roll up at the same time."""
    other = draft(make_user("Other"))
    told = Counter()
    finished = set()

    def write(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(60):
            with transaction.atomic():
                for _ in range(rng.randint(1, 4)):
                    target = rng.choice([project, other])
                    outbox.publish("assignment.claimed", subject=uuid4(), data={"project": str(target.id)})
                    told[target.id, seed] += 1
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(%s)", [rng.choice([0, 0, 0.01, 0.05])])
        finished.add(seed)

    def roll() -> int:
        counted = 0
        while len(finished) < 4:
            counted += services.roll_up()
        return counted

    results = together(*[partial(write, seed) for seed in range(4)], roll, roll, roll)
    counted = sum(results[4:]) + catch_up()
    total = sum(told.values())
    assert counted == total == Event.objects.filter(type="assignment.claimed").count()
    for each in (project, other):
        assert stats(each).claimed == sum(n for (id_, _), n in told.items() if id_ == each.id)


def test_data_loaded_into_a_new_server_is_not_counted_again(project) -> None:
    """A dump keeps the rows and their transaction ids; the new server's ids start low."""
    for _ in range(3):
        tell(project, "assignment.claimed")
    catch_up()
    Event.objects.update(xid=5_000_000_000)
    RollUpCursor.objects.update(seen="5000000001:5000000001:")
    assert services.roll_up() == 0
    tell(project, "assignment.claimed")
    assert services.roll_up() == 1
    assert stats(project).claimed == 4


def test_ten_thousand_events_take_a_handful_of_statements(project, django_assert_max_num_queries) -> None:
    at = datetime.now(UTC)
    Event.objects.bulk_create(
        [
            Event(
                type="assignment.submitted",
                subject_id=uuid4(),
                at=at - timedelta(minutes=n % 100),
                data={"project": str(project.id), "from": "claimed", "seconds": n % 50},
            )
            for n in range(10_000)
        ],
        batch_size=5000,
    )
    with django_assert_max_num_queries(9):
        assert services.roll_up() == rollup.ROUND
    assert stats(project).submitted == 10_000
    assert ProjectMinute.objects.count() == 100
    assert services.roll_up() == 0


def test_a_round_does_not_read_the_events_of_the_past(project) -> None:
    rows = [
        Event(type="assignment.claimed", subject_id=uuid4(), data={"project": str(project.id)}) for _ in range(8000)
    ]
    Event.objects.bulk_create(rows)
    catch_up()
    with CaptureQueriesContext(connection) as queries:
        services.roll_up()
    (sql,) = [each["sql"] for each in queries if "FROM realtime_event" in each["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE realtime_event")
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}")
        plan = cursor.fetchone()[0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 10
