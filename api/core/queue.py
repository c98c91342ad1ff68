"""Jobs: work that is left for later, in the transaction of the change that asks for it.

They are tasks of django-tasks, whose database backend keeps them as rows. What it does not do is done here: an attempt
that failed is made again after growing pauses, then the job is parked for the operator; and the job of a process that
died is taken over.

A job is told ids, not things, and finds out for itself whether anything is left to do: it may be run twice. Where it
only writes to this database (`atomic`, as most do), its work and the mark that it is done are one transaction, so that
what it does is there exactly once, whoever was killed when.
"""

import logging
import os
import random
import socket
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks import task
from django_tasks.base import Task, TaskResultStatus
from django_tasks.utils import normalize_json
from django_tasks_db.backend import DatabaseBackend, TaskResult

from api.core import context, metrics, tracing
from api.core.ids import uuid7
from api.core.models import Job, JobWorker

# Seconds from one attempt to the next, give or take a fifth; the last of them repeats.
PAUSES = (5.0, 30.0, 120.0, 600.0, 3600.0, 21_600.0)
# Jobs that ended well are kept so long, for whoever asks what happened; parked ones until somebody decides.
KEPT_FOR = timedelta(days=7)
SWEEP = 1_000
# Seconds until a thread that found nothing looks again.
_IDLE = 0.5
_log = logging.getLogger("guildhall.jobs")


class LostJob(Exception):
    """Somebody else has this job by now, or has decided about it: what was done here must not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared(Task):  # type: ignore[type-arg]
    """A function that may be run as a job, and how."""

    attempts: int
    atomic: bool
    longest: timedelta


def job(
    *, attempts: int = 8, priority: int = 0, atomic: bool = True, longest: timedelta = timedelta(minutes=10)
) -> Callable[[Callable[..., None]], Declared]:
    """Declare a function of a module as a job; `function.enqueue(…)` then leaves it for later.

    After `attempts` failures it is parked; with the default that is about 13 hours later. Of those that are due, a
    higher `priority` (-100 to 100) goes first, then the one that waited longest. With `atomic` it runs inside a
    transaction, and must call nobody outside: a job that does (mail, HTTP) says `atomic=False` and bears being run
    again after it has done its work. One that runs for `longest` is given to another process, and what the first one
    still does in its transaction counts for nothing.
    """
    return task(priority=priority, attempts=attempts, atomic=atomic, longest=longest)  # type: ignore[return-value]


class Backend(DatabaseBackend):
    """The queue as django-tasks sees it; the setting `TASKS` names it."""

    task_class = Declared

    def enqueue(self, task: Declared, args: Any, kwargs: Any) -> TaskResult:  # type: ignore[type-arg]
        """Write the job down. Raises TransactionManagementError outside a transaction."""
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("A job is left for later in the transaction of its change.")
        self.validate_task(task)
        row = Job.objects.create(
            id=uuid7(),
            args_kwargs=normalize_json({"args": args, "kwargs": kwargs, "context": _carried()}),
            priority=task.priority,
            task_path=task.module_path,
            queue_name=task.queue_name,
            run_after=task.run_after or timezone.now(),
            backend_name=self.alias,
        )
        return row.task_result

    async def aenqueue(self, task: Declared, args: Any, kwargs: Any) -> TaskResult:  # type: ignore[type-arg]
        return await sync_to_async(self.enqueue)(task, args, kwargs)


class Worker:
    """A process that runs jobs. It shows that it lives, so that the others leave alone what it is running."""

    def __init__(self) -> None:
        self.id = f"{socket.gethostname()[:24]}-{os.getpid()}-{uuid7().hex[-8:]}"
        self._known = threading.Event()

    def threads(self, stop: threading.Event, count: int) -> list[threading.Thread]:
        """Threads that take jobs until `stop` is set, and one that shows that the process lives.

        It takes none before it has shown so: others would take them over at once.
        """
        working = [
            threading.Thread(target=self._work, args=(stop,), name=f"queue-{number}", daemon=True)
            for number in range(count)
        ]
        return [*working, threading.Thread(target=self._live, args=(stop,), name="queue-lives", daemon=True)]

    def beat(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO core_jobworker (id, node, seen_at) VALUES (%s, %s, now())"
                " ON CONFLICT (id) DO UPDATE SET seen_at = now()",
                [self.id, settings.NODE_NAME],
            )

    def leave(self) -> None:
        """The process ends: what it has not finished may be taken over at once."""
        JobWorker.objects.filter(id=self.id).delete()

    def run_next(self) -> bool:
        """Take the next job that is due and run it. False when there is none."""
        row = self._take()
        if row is not None:
            _run(row)
        return row is not None

    def _take(self) -> Job | None:
        with transaction.atomic():
            row = Job.objects.filter(backend_name=_backend()).ready().get_locked()
            if row is not None:
                row.claim(self.id)
        return row

    def _work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            if not self._known.wait(_IDLE):
                continue
            close_old_connections()
            try:
                found = self.run_next()
            except (DatabaseError, InterfaceError):
                _log.exception("queue unavailable")
                connection.close()
                found = False
            if not found:
                # Not all at the same time: threads of many processes look at one table.
                stop.wait(_IDLE * random.uniform(0.8, 1.2))  # noqa: S311
        connection.close()

    def _live(self, stop: threading.Event) -> None:
        pause = 0.0
        while not stop.wait(pause):
            close_old_connections()
            try:
                self.beat()
                self._known.set()
                pause = settings.JOBS_LEASE_SECONDS / 4
            except (DatabaseError, InterfaceError):
                _log.exception("queue unavailable")
                connection.close()
                pause = min(1.0, settings.JOBS_LEASE_SECONDS / 4)
        connection.close()


def _backend() -> str:
    return next(iter(settings.TASKS))


def _carried() -> dict[str, str]:
    """What a job takes along from the request that leaves it for later."""
    return {"request_id": context.request_id.get(), **tracing.carried()}


def _run(row: Job) -> None:
    """Run one attempt of a job that was taken, and write down how it ended."""
    carried = row.args_kwargs.get("context", {})
    job = context.job_id.set(str(row.id))
    request = context.request_id.set(carried.get("request_id", ""))
    started = time.perf_counter()
    try:
        with tracing.job(row.task_path, carried):
            outcome = _attempt(row)
        seconds = time.perf_counter() - started
        metrics.JOBS.labels(row.task_path, outcome).observe(seconds)
        told = {"job": row.task_path, "attempt": row.attempt, "ms": round(seconds * 1000, 2), "outcome": outcome}
        _log.info("job", extra=told)
    finally:
        context.request_id.reset(request)
        context.job_id.reset(job)


def _attempt(row: Job) -> str:
    """ "done", "failed" (and will be tried again), "parked", or "lost"."""
    try:
        declared = row.task
        call = lambda: declared.call(*row.args_kwargs["args"], **row.args_kwargs["kwargs"])  # noqa: E731
        if declared.atomic:
            with transaction.atomic():
                call()
                _finish(row)
        else:
            call()
            _finish(row)
    except LostJob:
        _log.warning("job lost", extra={"job": row.task_path})
        return "lost"
    except (Exception, SystemExit) as error:  # noqa: BLE001  (it is kept with the job, and logged)
        _log.warning("job failed", exc_info=True, extra={"job": row.task_path, "attempt": row.attempt})
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        text = "".join(traceback.format_exception(error))
        return _until_written(lambda: put_back(row, kind, text))
    return "done"


def _mine(row: Job) -> QuerySet[Job]:
    """The row, while this attempt is still the one that counts."""
    return Job.objects.filter(id=row.id, status=TaskResultStatus.RUNNING, started_at=row.started_at)


def _finish(row: Job) -> None:
    done = {"status": TaskResultStatus.SUCCESSFUL, "finished_at": Now(), "exception_class_path": "", "traceback": ""}
    if not _mine(row).update(**done):
        raise LostJob


def put_back(row: Job, kind: str, text: str) -> str:
    """After an attempt that did not end well: "failed" with the next one planned, or "parked" when it was the last."""
    reason = {"exception_class_path": kind, "traceback": text.replace("\0", "")}
    if row.attempt >= attempts_of(row):
        parked = _mine(row).update(status=TaskResultStatus.FAILED, finished_at=Now(), **reason)
        if parked:
            _log.error("job parked", extra={"job": row.task_path, "parked_id": str(row.id), "reason": kind})
        return "parked" if parked else "lost"
    again = timezone.now() + timedelta(seconds=pause_after(row.attempt))
    return "failed" if _mine(row).update(status=TaskResultStatus.READY, run_after=again, **reason) else "lost"


def attempts_of(row: Job) -> int:
    """How often it may be tried. One whose code this process does not have is left for those that may have it."""
    try:
        attempts: int = row.task.attempts
    except ImportError:
        return len(PAUSES)
    return attempts


def pause_after(attempt: int) -> float:
    """Seconds from attempt number `attempt` (from 1) to the next."""
    return PAUSES[min(attempt, len(PAUSES)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311


def _until_written(write: Callable[[], str]) -> str:
    """The end of an attempt must be written down, or the job would seem to run on; the database may be away just now.

    After the lease others may take the job over, so there is no use in trying for longer.
    """
    deadline = time.monotonic() + settings.JOBS_LEASE_SECONDS
    while True:
        try:
            return write()
        except (DatabaseError, InterfaceError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@transaction.atomic
def take_over() -> int:
    """Put back the jobs of processes that show no life, and those that run for too long. Returns how many.

    Safe when several run at once: each passes over what another holds. A process that was only halted and goes on
    finds that its attempt counts no more.
    """
    taken = 0
    lease = timedelta(seconds=settings.JOBS_LEASE_SECONDS)
    alive = set(JobWorker.objects.filter(seen_at__gt=Now() - lease).values_list("id", flat=True))
    running = Job.objects.filter(backend_name=_backend(), status=TaskResultStatus.RUNNING).order_by("started_at")
    for row in running.select_for_update(skip_locked=True)[:SWEEP]:
        if row.worker_ids[-1] not in alive:
            why = "The process that ran it has ended or does not answer."
        elif timezone.now() - row.started_at > _longest(row):
            why = "It ran for longer than it may."
        else:
            continue
        taken += put_back(row, "", why) != "lost"
    JobWorker.objects.filter(seen_at__lt=Now() - timedelta(days=1)).delete()
    return taken


def _longest(row: Job) -> timedelta:
    try:
        longest: timedelta = row.task.longest
    except ImportError:
        return timedelta(hours=1)
    return longest


def forget_finished() -> int:
    """Delete up to 1,000 jobs that ended well a week ago. Returns how many."""
    old = Job.objects.filter(status=TaskResultStatus.SUCCESSFUL, finished_at__lt=timezone.now() - KEPT_FOR)
    found = old.order_by("finished_at").values("id").select_for_update(skip_locked=True)[:SWEEP]
    with transaction.atomic():
        return Job.objects.filter(id__in=list(found.values_list("id", flat=True))).delete()[0]


def parked(jobs: QuerySet[Job]) -> QuerySet[Job]:
    return jobs.filter(status=TaskResultStatus.FAILED)


def try_again(jobs: QuerySet[Job]) -> int:
    """Let those that are parked begin anew, with all their attempts. Returns how many."""
    return parked(jobs).update(status=TaskResultStatus.READY, run_after=timezone.now(), worker_ids=[], finished_at=None)
