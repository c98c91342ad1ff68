"""Jobs for the tests of the queue. Each leaves an event, so that it can be counted what was done."""

from uuid import UUID

from django.db import connection

from api.core.queue import job
from api.realtime.models import Event

# What a test holds while it wants a job to be in the middle of its work.
GATE = 0x6775696C_67617465


def _note(subject: str, type_: str = "errand.done") -> None:
    Event.objects.create(type=type_, subject_id=UUID(subject))


@job()
def note(subject: str) -> None:
    _note(subject)


@job(priority=50)
def urgent(subject: str) -> None:
    _note(subject)


@job(attempts=3)
def fail(subject: str) -> None:
    """Fails after it has written."""
    _note(subject)
    raise RuntimeError("out of luck")


@job(attempts=2)
def leave(subject: str) -> None:
    raise SystemExit(f"{subject} has had enough")


@job(attempts=4)
def wait_at_gate(subject: str) -> None:
    """Writes, and waits before the end until the test opens."""
    _note(subject)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [GATE])


@job(atomic=False, attempts=4)
def wait_outside(subject: str) -> None:
    """The same without a transaction: what it wrote stays, whoever has the job by then."""
    _note(subject, "errand.begun")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s), pg_advisory_unlock_shared(%s)", [GATE, GATE])


@job()
def pass_on(subject: str) -> None:
    """Leaves another job."""
    note.enqueue(subject)
