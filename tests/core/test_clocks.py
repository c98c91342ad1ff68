"""Clocks: any number of processes run the same one at once, and each thing is done once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextvars import copy_context
from datetime import timedelta
from threading import Event as Flag
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules
from oauth2_provider.models import AccessToken

from api.accounts.services import authorisations, sessions
from api.core import clocks, idempotency, mail, queue
from api.core.models import IdempotencyKey, Job, Mail
from api.projects.models import OpenTask, ProjectStats
from api.projects.services import roll_up
from api.realtime.models import Event
from api.work import services as work
from api.work.models import Assignment, Move
from tests.core import errands
from tests.factories import make_token, make_user
from tests.projects.build import published
from tests.reviews.build import answer_many
from tests.work.build import places_are_right

pytestmark = pytest.mark.django_db(transaction=True)

autodiscover_modules("jobs")
MANY = 12
LONG_AGO = timedelta(days=100)


def _keys() -> Callable[[], int]:
    for number in range(MANY):
        IdempotencyKey.objects.create(digest=number.to_bytes(16), fingerprint=b"", created_at=timezone.now() - LONG_AGO)
    return IdempotencyKey.objects.count


def _mail() -> Callable[[], int]:
    for _ in range(MANY):
        Mail.objects.create(sealed=b"", created_at=timezone.now() - LONG_AGO)
    return Mail.objects.count


def _sessions() -> Callable[[], int]:
    for number in range(MANY):
        Session.objects.create(session_key=str(number), session_data="", expire_date=timezone.now() - LONG_AGO)
    return Session.objects.count


def _tokens() -> Callable[[], int]:
    user = make_user("Ana")
    for _ in range(MANY):
        make_token(user)
    AccessToken.objects.update(expires=timezone.now() - LONG_AGO)
    return AccessToken.objects.count


def _jobs(status: str) -> None:
    with transaction.atomic():
        for _ in range(MANY):
            errands.note.enqueue(str(uuid4()))
    then = timezone.now() - LONG_AGO
    Job.objects.update(status=status, started_at=then, finished_at=then, worker_ids=["gone"])


def _finished() -> Callable[[], int]:
    _jobs("SUCCESSFUL")
    return Job.objects.count


def _abandoned() -> Callable[[], int]:
    _jobs("RUNNING")
    return Job.objects.filter(status="RUNNING").count


def _answers(state: str, **dates: timedelta) -> None:
    project = published(make_user("Owner"), money=10_000, tasks=MANY, assignments_per_task=1)
    answer_many(project, MANY, make_user("Worker"))
    then = {name: timezone.now() - ago for name, ago in dates.items()}
    Assignment.objects.update(state=state, auto_accept_at=None, **then)


def _sent_back() -> Callable[[], int]:
    _answers("sent_back", expires_at=LONG_AGO)
    return lambda: MANY - Move.objects.filter(to="submitted", by=None).exclude(why="").count()


def _rejected() -> Callable[[], int]:
    _answers("rejected", settles_at=LONG_AGO)

    def left() -> int:
        freed = Event.objects.filter(type="place.reopened").values_list("data__places", flat=True)
        assert sum(freed) == OpenTask.objects.count()
        return MANY - sum(freed)

    return left


@pytest.mark.parametrize(
    ("sweep", "backlog"),
    [
        (idempotency.forget_old, _keys),
        (mail.forget_old, _mail),
        (sessions.forget_old, _sessions),
        (authorisations.forget_old, _tokens),
        (queue.forget_finished, _finished),
        (queue.take_over, _abandoned),
        (work.resubmit_overdue, _sent_back),
        (work.settle_rejections, _rejected),
    ],
    ids=["keys", "mail", "sessions", "tokens", "finished", "abandoned", "sent-back", "rejections"],
)
def test_who_sweeps_together_does_each_thing_once(together, sweep, backlog) -> None:
    left = backlog()
    assert left() == MANY
    results = together(*[sweep] * 4)
    assert [result for result in results if not isinstance(result, int)] == []
    assert (sum(results), left()) == (MANY, 0)
    assert sweep() == 0


@pytest.mark.parametrize("name", sorted(clocks.CLOCKS))
def test_every_clock_finds_nothing_where_there_is_nothing(together, name) -> None:
    assert together(*[lambda: clocks.tick(clocks.CLOCKS[name])] * 2) == [0, 0]


def test_every_clock_is_told_of() -> None:
    page = (settings.BASE_DIR / "docs" / "jobs.md").read_text()
    names = {name.removeprefix("api.").replace(".jobs.", ".") for name in clocks.CLOCKS}
    assert [name for name in names if f"`{name}`" not in page] == []


def test_a_clock_that_fails_goes_on_by_itself() -> None:
    stop, calls = Flag(), []

    def sweep() -> int:
        calls.append(len(calls))
        if len(calls) == 1:
            raise RuntimeError("out of luck")
        stop.set()
        return 0

    # As in a thread of its own, whose context ends with it.
    copy_context().run(clocks._run_one, clocks.Clock("test.sweep", every=0.01, full=1, sweep=sweep), stop)
    assert calls == [0, 1]


def test_all_of_it_once(capsys) -> None:
    with transaction.atomic():
        errands.note.enqueue(str(uuid4()))
    call_command("jobs", "--once")
    said = capsys.readouterr().out.splitlines()
    assert "jobs: 1" in said
    assert set(clocks.CLOCKS) <= {line.partition(":")[0] for line in said}
    assert Job.objects.get().status == "SUCCESSFUL"


def test_what_was_submitted_is_in_the_progress_after_one_round() -> None:
    project = published(make_user("Owner"), money=10_000, tasks=3, assignments_per_task=1)
    while roll_up():
        pass
    answer_many(project, 3, make_user("Worker"))
    assert roll_up() > 0
    assert ProjectStats.objects.get(project=project).submitted == 3


@pytest.mark.processes
def test_killed_in_the_middle_of_a_backlog_the_others_finish_it_and_nothing_is_done_twice() -> None:
    """Three processes on one backlog; two are killed while they work."""
    projects = []
    for _ in range(6):
        project = published(make_user("Owner"), money=10_000, tasks=40, assignments_per_task=1)
        answer_many(project, 40, make_user("Worker"))
        projects.append(project)
    Assignment.objects.update(state="sent_back", auto_accept_at=None, expires_at=timezone.now() - LONG_AGO)
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    command, env = (
        [sys.executable, "manage.py", "jobs"],
        {**os.environ, "DATABASE_URL": url, "PYTHONWARNINGS": "ignore"},
    )
    started = [subprocess.Popen(command, cwd=settings.BASE_DIR, env=env) for _ in range(3)]
    try:
        deadline = time.monotonic() + 60
        while Assignment.objects.filter(state="submitted").count() < 240:
            assert time.monotonic() < deadline
            if Move.objects.filter(to="submitted", by=None).exclude(why="").exists():
                for process in started[:2]:
                    process.send_signal(signal.SIGKILL)
            time.sleep(0.02)
        while roll_up():
            pass
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert Move.objects.filter(to="submitted", by=None).exclude(why="").count() == 240
    for project in projects:
        places_are_right(project)
