"""`manage.py jobs` as a process: it runs the clocks, beside others of its kind, and may be killed at any time."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from api.ledger import audits
from api.ledger.models import Purse
from api.projects.models import OpenTask, ProjectStats
from api.realtime import wakeup
from api.work import services
from api.work.models import Assignment, Move, Participation
from tests.factories import make_user
from tests.projects.build import escrow_of, published, purse_left
from tests.reviews.build import answer_many
from tests.work.build import places_are_right

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

PATIENCE = 40


@pytest.fixture
def jobs() -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """`jobs()` starts a process on the database of this test."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(
            subprocess.Popen(
                [sys.executable, "manage.py", "jobs"],
                cwd=settings.BASE_DIR,
                env={**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "INFO", "PYTHONWARNINGS": "ignore"},
                stderr=subprocess.PIPE,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def stop(process: subprocess.Popen[bytes]) -> str:
    """End a process as its manager would. Returns what it logged; fails unless it ended well and soon."""
    process.terminate()
    _, log = process.communicate(timeout=20)
    assert process.returncode == 0, log.decode()
    assert b"failed" not in log, log.decode()
    return log.decode()


def wait_for(done: Callable[[], object], what: str, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert process is None or process.poll() is None, process.communicate()[1].decode()
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.1)


def waits_for_a_lock() -> bool:
    """Whether any session waits for a row that another holds. A transaction sees `pg_locks` as they are now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def sessions() -> int:
    """Sessions of others than this process."""
    wakeup.bell.close()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


def books_are_right() -> None:
    assert [problem for check in audits.checks().values() for problem in check()] == []


def in_state(state: str) -> int:
    return Assignment.objects.filter(state=state).count()


def overdue(rows) -> None:
    rows.update(expires_at=timezone.now() - settings.LATE_GRACE - timedelta(seconds=1))


def due(rows) -> None:
    rows.update(auto_accept_at=timezone.now() - timedelta(seconds=1))


def market(projects: int = 1, answers: int = 4, holds: int = 3) -> list:
    """Projects, each with a worker who answered some tasks and holds others: all of it due."""
    made = []
    for _ in range(projects):
        project = published(make_user("Owner"), money=10_000, tasks=answers + holds, assignments_per_task=1)
        worker = make_user("Worker")
        answer_many(project, answers, worker)
        for _ in range(holds):
            services.claim_next(worker_id=worker.id, project_id=project.id)
        made.append((project, worker))
    due(Assignment.objects.filter(state="submitted"))
    overdue(Assignment.objects.filter(state="claimed"))
    return made


def test_clocks_expire_and_accept_what_is_due_and_leave_the_rest(jobs):
    ((project, worker),) = market()
    late = Assignment.objects.filter(state="claimed").first()
    # Past its time, but not past the grace period.
    Assignment.objects.filter(id=late.id).update(expires_at=timezone.now() - timedelta(seconds=10))
    stands = Assignment.objects.filter(state="submitted").first()
    Assignment.objects.filter(id=stands.id).update(state="sent_back", auto_accept_at=None)
    overdue(Assignment.objects.filter(id=stands.id))
    process = jobs()
    wait_for(lambda: in_state("submitted") == 1, "what was sent back stands", process)
    due(Assignment.objects.filter(id=stands.id))
    wait_for(lambda: in_state("accepted") == 4 and in_state("expired") == 2, "the clocks have run", process)
    wait_for(lambda: ProjectStats.objects.get(project=project).accepted == 4, "progress is rolled up")
    log = stop(process)
    assert '"clock":"api.reviews.jobs.accept_due"' in log.replace(" ", "")
    assert Assignment.objects.get(id=late.id).state == "claimed"
    assert set(Move.objects.filter(to__in=["accepted", "expired"]).values_list("by", flat=True)) == {None}
    assert (purse_left(worker), escrow_of(project)) == (40, 30)
    assert Participation.objects.get().taken == 5
    assert OpenTask.objects.count() == 2
    places_are_right(project)
    books_are_right()


def test_two_processes_do_everything_once(jobs):
    made = market(projects=8, answers=10, holds=8)
    processes = [jobs(), jobs()]
    wait_for(lambda: in_state("accepted") == 80 and in_state("expired") == 64, "both have run", processes[0])
    for process in processes:
        stop(process)
    assert Move.objects.filter(to="accepted").count() == 80
    assert Move.objects.filter(to="expired").count() == 64
    for project, worker in made:
        assert (purse_left(worker), escrow_of(project)) == (100, 80)
        places_are_right(project)
    books_are_right()


def test_an_idle_process_ends_at_once_and_leaves_no_session_behind(jobs):
    process = jobs()
    wait_for(lambda: sessions() >= 2, "it is connected", process)
    started = time.monotonic()
    stop(process)
    assert time.monotonic() - started < 10
    wait_for(lambda: sessions() == 0, "its sessions have ended")


@contextmanager
def held(sql: str) -> Iterator[None]:
    """Hold rows, so that a sweep which gets to them has to wait there with its transaction open."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        yield


@pytest.mark.parametrize(
    ("clock", "rows"),
    [
        ("accepted", "SELECT 1 FROM ledger_purse WHERE kind = 'escrow' FOR UPDATE"),
        ("expired", "SELECT 1 FROM work_participation FOR UPDATE"),
    ],
)
def test_a_process_killed_in_the_middle_of_a_sweep_loses_nothing(jobs, clock, rows):
    """Killed when it has written states, moves and events, and before it has moved money or places."""
    answers, holds = (6, 0) if clock == "accepted" else (0, 6)
    ((project, worker),) = market(answers=answers, holds=holds)
    start = "submitted" if clock == "accepted" else "claimed"
    with held(rows):
        process = jobs()
        wait_for(waits_for_a_lock, "the sweep is in the middle of its work", process)
        process.kill()
        process.wait()
    wait_for(lambda: sessions() == 0, "the database has noticed")
    assert (in_state(start), Move.objects.filter(to=clock).count()) == (6, 0)
    assert (purse_left(worker), escrow_of(project)) == (0, 60)
    books_are_right()
    other = jobs()
    wait_for(lambda: in_state(clock) == 6, "another process has done it", other)
    stop(other)
    assert Move.objects.filter(to=clock).count() == 6
    assert purse_left(worker) == 10 * answers
    assert Purse.objects.get(kind="escrow").balance == 10 * holds
    places_are_right(project)
    books_are_right()


def test_a_process_that_is_stopped_finishes_its_sweep(jobs):
    ((project, worker),) = market(answers=6, holds=0)
    with held("SELECT 1 FROM ledger_purse WHERE kind = 'escrow' FOR UPDATE"):
        process = jobs()
        wait_for(waits_for_a_lock, "the sweep is in the middle of its work", process)
        process.terminate()
        time.sleep(0.5)
        assert process.poll() is None
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert (in_state("accepted"), purse_left(worker), escrow_of(project)) == (6, 60, 0)
    books_are_right()
