"""The queue: what is committed with a change is done once, whatever fails and whoever is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from api.core import context, queue
from api.core.models import Job, JobWorker
from api.realtime.models import Event
from tests.core import errands
from tests.factories import make_user

PATIENCE = 40
JOBS = "admin:core_job_changelist"


def done(subject: UUID | str, type_: str = "errand.done") -> int:
    return Event.objects.filter(type=type_, subject_id=subject).count()


def left(task, subject: UUID | None = None) -> SimpleNamespace:
    """A job that has been left for later: its `subject` and its row, read afresh by `now()`."""
    subject = subject or uuid4()
    with transaction.atomic():
        result = task.enqueue(str(subject))
    return SimpleNamespace(subject=subject, id=result.id, now=lambda: Job.objects.get(id=result.id))


def hurry() -> None:
    """Let the pause of those that failed be over."""
    Job.objects.filter(status="READY").update(run_after=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def worker(db) -> queue.Worker:
    made = queue.Worker()
    made.beat()
    return made


def test_a_job_is_run_once_and_is_done(worker) -> None:
    errand = left(errands.note)
    assert (worker.run_next(), worker.run_next()) == (True, False)
    assert done(errand.subject) == 1
    row = errand.now()
    assert (row.status, row.attempt, row.worker_ids) == ("SUCCESSFUL", 1, [worker.id])
    assert row.finished_at is not None


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_nothing_can_be_left_for_later() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        errands.note.enqueue(str(uuid4()))
    assert Job.objects.count() == 0


def test_what_is_rolled_back_leaves_no_job(worker) -> None:
    with transaction.atomic():
        errands.note.enqueue(str(uuid4()))
        transaction.set_rollback(True)
    assert not worker.run_next()


@pytest.mark.parametrize("wrong", [uuid4(), timezone.now(), {1, 2}])
def test_a_job_is_told_json(db, wrong) -> None:
    with pytest.raises(TypeError):
        errands.note.enqueue(wrong)


def test_the_urgent_first_then_the_one_that_waits_longest(worker) -> None:
    errand = [left(task) for task in (errands.note, errands.note, errands.urgent, errands.note)]
    while worker.run_next():
        pass
    ran = Event.objects.filter(type="errand.done").order_by("id").values_list("subject_id", flat=True)
    assert list(ran) == [errand[place].subject for place in (2, 0, 1, 3)]


def test_a_job_for_later_is_not_run_before_its_time(worker) -> None:
    with transaction.atomic():
        errands.note.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(str(uuid4()))
    assert not worker.run_next()
    hurry()
    assert worker.run_next()


def test_a_job_leaves_another(worker) -> None:
    errand = left(errands.pass_on)
    assert [worker.run_next() for _ in range(3)] == [True, True, False]
    assert done(errand.subject) == 1


def test_a_failure_undoes_the_work_and_is_tried_again_after_growing_pauses_until_it_is_parked(worker) -> None:
    errand = left(errands.fail)
    pauses = []
    for attempt in (1, 2):
        before = timezone.now()
        assert worker.run_next()
        row = errand.now()
        assert (row.status, row.attempt) == ("READY", attempt)
        assert "RuntimeError: out of luck" in row.traceback
        pauses.append((row.run_after - before).total_seconds())
        assert not worker.run_next()
        hurry()
    assert 3.9 < pauses[0] < 7 < 23 < pauses[1] < 37
    assert worker.run_next()
    row = errand.now()
    assert (row.status, row.attempt, row.exception_class_path) == ("FAILED", 3, "builtins.RuntimeError")
    hurry()
    assert not worker.run_next()
    assert done(errand.subject) == 0


def test_pauses_grow_and_differ() -> None:
    pauses = [queue.pause_after(attempt) for attempt in range(1, 10)]
    assert pauses[:6] == sorted(pauses[:6])
    assert max(pauses) < 8 * 3600
    assert len({queue.pause_after(3) for _ in range(20)}) > 1


def test_a_job_that_leaves_the_process_takes_nobody_with_it(worker) -> None:
    errand = left(errands.leave)
    assert worker.run_next()
    assert errand.now().exception_class_path == "builtins.SystemExit"


def test_a_job_whose_code_this_process_does_not_have_is_left_for_others(worker) -> None:
    errand = left(errands.note)
    Job.objects.filter(id=errand.id).update(task_path="tests.core.errands.of_the_next_version")
    assert worker.run_next()
    row = errand.now()
    assert (row.status, row.exception_class_path) == ("READY", "builtins.ImportError")
    Job.objects.filter(id=errand.id).update(task_path="tests.core.errands.note")
    hurry()
    assert worker.run_next()
    assert done(errand.subject) == 1


def test_a_job_carries_the_id_of_the_request_that_left_it(worker, monkeypatch) -> None:
    token = context.request_id.set("request-of-ana")
    left(errands.note)
    context.request_id.reset(token)
    seen = []
    monkeypatch.setattr(errands, "_note", lambda *_: seen.append((context.request_id.get(), context.job_id.get())))
    worker.run_next()
    assert seen == [("request-of-ana", str(Job.objects.get().id))]
    assert (context.request_id.get(), context.job_id.get()) == ("", "")


def test_jobs_that_ended_well_are_forgotten_after_a_week_and_parked_ones_are_not(worker) -> None:
    old, new, parked = left(errands.note), left(errands.note), left(errands.leave)
    while worker.run_next():
        hurry()
    Job.objects.exclude(id=new.id).update(finished_at=timezone.now() - queue.KEPT_FOR - timedelta(hours=1))
    assert parked.now().status == "FAILED"
    assert (queue.forget_finished(), queue.forget_finished()) == (1, 0)
    assert set(Job.objects.values_list("id", flat=True)) == {UUID(new.id), UUID(parked.id)}
    assert not Job.objects.filter(id=old.id).exists()


# What the operator sees and does.


@pytest.fixture
def operator(db) -> Client:
    client = Client()
    client.force_login(make_user("Op", is_staff=True, is_superuser=True))
    return client


def parked_job(worker: queue.Worker) -> SimpleNamespace:
    errand = left(errands.fail)
    while worker.run_next():
        hurry()
    assert errand.now().status == "FAILED"
    return errand


def act(operator: Client, action: str, *errand: SimpleNamespace) -> str:
    form = {"action": action, "_selected_action": [each.id for each in errand]}
    page = operator.post(reverse(JOBS), form, follow=True)
    assert page.status_code == 200
    return page.content.decode()


def test_the_admin_shows_a_parked_job_with_its_trace(operator, worker) -> None:
    errand = parked_job(worker)
    left(errands.note)
    page = operator.get(reverse(JOBS), {"status__exact": "FAILED"}).content.decode()
    assert page.count('<th class="field-__str__">') == 1
    page = operator.get(reverse("admin:core_job_change", args=[errand.id])).content.decode()
    assert "RuntimeError: out of luck" in page
    assert str(errand.subject) in page
    found = operator.get(reverse(JOBS), {"q": errand.id}).content.decode()
    assert found.count('<th class="field-__str__">') == 1


def test_a_parked_job_begins_anew_and_others_are_not_touched(operator, worker, monkeypatch) -> None:
    errand, fine = parked_job(worker), left(errands.note)
    worker.run_next()
    assert "1 will be tried again" in act(operator, "begin_anew", errand, fine)
    assert (errand.now().attempt, fine.now().status) == (0, "SUCCESSFUL")
    monkeypatch.setattr(errands, "RuntimeError", lambda _: None, raising=False)
    hurry()
    assert worker.run_next()
    assert errand.now().attempt == 1


def test_a_job_is_given_up_only_while_it_is_parked(operator, worker) -> None:
    errand, waiting = parked_job(worker), left(errands.note)
    assert "1 given up" in act(operator, "give_up", errand, waiting)
    assert list(Job.objects.values_list("id", flat=True)) == [UUID(waiting.id)]


def test_who_may_only_look_decides_nothing(worker) -> None:
    from django.contrib.auth.models import Permission

    clerk = make_user("Clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_job", content_type__app_label="core"))
    client = Client()
    client.force_login(clerk)
    errand = parked_job(worker)
    act(client, "give_up", errand)
    act(client, "begin_anew", errand)
    assert errand.now().status == "FAILED"


# Several at once, and what dies.

processes = pytest.mark.processes


@contextmanager
def gate() -> Iterator[Callable[[], None]]:
    """Holds back the jobs that wait at the gate, until the function is called."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [errands.GATE])
        held = True

        def release() -> None:
            nonlocal held
            if held:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [errands.GATE])
                held = False

        try:
            yield release
        finally:
            release()


def wait_for(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


def waiting_at_gate() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return int(cursor.fetchone()[0])


@pytest.fixture
def start(transactional_db) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """`start()` starts a process of jobs on the database of this test, with a lease of two seconds."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    started: list[subprocess.Popen[bytes]] = []

    def begin(**env: str) -> subprocess.Popen[bytes]:
        given = {"DATABASE_URL": url, "LOG_LEVEL": "INFO", "PYTHONWARNINGS": "ignore", "JOBS_LEASE_SECONDS": "2", **env}
        command = [sys.executable, "manage.py", "jobs"]
        started.append(
            subprocess.Popen(command, cwd=settings.BASE_DIR, env={**os.environ, **given}, stderr=subprocess.PIPE)
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def of_process(row: Job) -> int:
    """The process id of who has or had a job."""
    return int(row.worker_ids[-1].split("-")[-2])


@processes
def test_threads_together_run_each_job_once(transactional_db) -> None:
    errand = [left(errands.note) for _ in range(60)]
    stop = threading.Event()
    threads = [thread for worker in (queue.Worker(), queue.Worker()) for thread in worker.threads(stop, 3)]
    for thread in threads:
        thread.start()
    wait_for(lambda: Job.objects.filter(status="SUCCESSFUL").count() == 60, "all are done")
    stop.set()
    for thread in threads:
        thread.join(5)
    assert [done(each.subject) for each in errand] == [1] * 60
    assert set(Job.objects.values_list("worker_ids__1", flat=True)) == {None}


@processes
@pytest.mark.parametrize(("task", "begun"), [(errands.wait_at_gate, 0), (errands.wait_outside, 2)])
def test_the_job_of_a_killed_process_is_taken_over_and_its_work_is_there_once(start, task, begun) -> None:
    with gate() as release:
        errand = left(task)
        first = start()
        wait_for(lambda: waiting_at_gate() == 1, "the job is in the middle of its work")
        first.send_signal(signal.SIGKILL)
        first.wait()
        second = start()
        wait_for(lambda: errand.now().attempt == 2, "another process has it")
        release()
    wait_for(lambda: errand.now().status == "SUCCESSFUL", "it is done")
    row = errand.now()
    assert (of_process(row), len(row.worker_ids)) == (second.pid, 2)
    assert done(errand.subject) == (0 if begun else 1)
    assert done(errand.subject, "errand.begun") == begun


@processes
def test_a_process_that_was_only_halted_finds_that_its_attempt_counts_no_more(start) -> None:
    with gate() as release:
        errand = left(errands.wait_at_gate)
        halted = start()
        wait_for(lambda: waiting_at_gate() == 1, "the job is in the middle of its work")
        halted.send_signal(signal.SIGSTOP)
        other = start()
        wait_for(lambda: errand.now().attempt == 2 and waiting_at_gate() == 2, "another process has it")
        halted.send_signal(signal.SIGCONT)
        release()
    wait_for(lambda: errand.now().status == "SUCCESSFUL", "it is done")
    halted.terminate()
    _, log = halted.communicate(timeout=20)
    assert b"job lost" in log
    assert of_process(errand.now()) == other.pid
    assert done(errand.subject) == 1


@processes
def test_a_job_of_a_living_process_is_not_taken_over_however_long_the_lease_is_over(start) -> None:
    with gate() as release:
        errand = left(errands.wait_at_gate)
        start(JOBS_THREADS="1")
        wait_for(lambda: waiting_at_gate() == 1, "the job is in the middle of its work")
        start()
        wait_for(lambda: JobWorker.objects.count() == 2, "the second is there")
        before = JobWorker.objects.order_by("seen_at").first().seen_at
        wait_for(
            lambda: JobWorker.objects.filter(seen_at__gt=before + timedelta(seconds=8)).count() == 2,
            "four leases have passed, and with them a sweep",
        )
        assert errand.now().attempt == 1
        release()
    wait_for(lambda: errand.now().status == "SUCCESSFUL", "it is done")
    assert (errand.now().attempt, done(errand.subject)) == (1, 1)


@processes
def test_sigterm_lets_the_job_under_way_end(start) -> None:
    with gate() as release:
        errand = left(errands.wait_at_gate)
        process = start()
        wait_for(lambda: waiting_at_gate() == 1, "the job is in the middle of its work")
        process.terminate()
        later = left(errands.note)
        time.sleep(0.5)
        assert process.poll() is None
        release()
    assert process.wait(timeout=15) == 0
    assert (errand.now().status, later.now().status) == ("SUCCESSFUL", "READY")
    assert JobWorker.objects.count() == 0


@processes
def test_sigterm_does_not_wait_without_end(start) -> None:
    with gate():
        errand = left(errands.wait_at_gate)
        process = start(GRACEFUL_SECONDS="1")
        wait_for(lambda: waiting_at_gate() == 1, "the job is in the middle of its work")
        process.terminate()
        assert process.wait(timeout=15) == 0
    wait_for(lambda: waiting_at_gate() == 0, "its session has ended")
    assert (errand.now().status, done(errand.subject)) == ("RUNNING", 0)
    assert queue.take_over() == 1
    assert errand.now().status == "READY"


def test_a_job_that_kills_every_process_is_parked_in_the_end(worker) -> None:
    errand = left(errands.fail)
    for _ in range(3):
        hurry()
        assert worker._take() is not None
        worker.leave()
        assert queue.take_over() == 1
        worker.beat()
    row = errand.now()
    assert (row.status, row.attempt) == ("FAILED", 3)
    assert "ended or does not answer" in row.traceback


def test_of_several_attempts_only_the_newest_counts(worker) -> None:
    errand = left(errands.note)
    first = worker._take()
    Job.objects.update(started_at=F("started_at") - timedelta(minutes=11))
    first.started_at -= timedelta(minutes=11)
    assert queue.take_over() == 1
    hurry()
    second = worker._take()
    queue._run(first)
    assert (errand.now().status, done(errand.subject)) == ("RUNNING", 0)
    assert queue.put_back(first, "", "") == "lost"
    queue._run(second)
    assert (errand.now().status, errand.now().attempt, done(errand.subject)) == ("SUCCESSFUL", 2, 1)


def test_a_job_that_runs_for_too_long_is_taken_from_a_living_process(worker) -> None:
    errand = left(errands.note)
    first = worker._take()
    assert queue.take_over() == 0
    Job.objects.update(started_at=F("started_at") - timedelta(minutes=11))
    assert queue.take_over() == 1
    queue._run(first)
    assert (errand.now().status, done(errand.subject)) == ("READY", 0)
