"""Giving work back: by the worker, by the clock, or because a rejection stands. All free the place and its money.

And what the clock does with answers that were sent back, whose places and money stay where they are.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from api.accounts.models import User
from api.core.errors import NotFound
from api.projects.models import Project, Version
from api.projects.services import places
from api.realtime import outbox
from api.work import errors
from api.work.models import Assignment, Move, Participation, State
from api.work.selectors import access_assignment, visible_assignments

# Assignments one sweep takes at a time: enough to be quick, few enough to hold locks only briefly.
SWEEP = 500
_STANDS = "not handed in again in time, so the earlier answer stands"


@transaction.atomic
def return_assignment(*, assignment_id: UUID, worker: User, reason: str = "") -> Assignment:
    """Give a claimed or sent-back assignment back. It never counts against the worker.

    Returning twice is the same as once. Raises NotFound or WrongState.
    """
    project_id = visible_assignments(worker).filter(id=assignment_id).values_list("project_id", flat=True).first()
    if project_id is None:
        raise NotFound
    lock_projects([project_id])
    assignment = access_assignment(worker, assignment_id, lock=True)
    if assignment.state == State.RETURNED:
        return assignment
    if assignment.state not in State.held():
        raise errors.WrongState
    _give_back([assignment], to=State.RETURNED, by=worker, why=reason)
    assignment.refresh_from_db()
    return assignment


@transaction.atomic
def expire_overdue() -> int:
    """Expire claims whose time and grace are over. Returns how many.

    Safe when several run at once: each passes over what another holds.
    """
    limit = timezone.now() - settings.LATE_GRACE
    overdue = Assignment.objects.filter(state=State.CLAIMED, expires_at__lt=limit)
    return _sweep(overdue, "expires_at", to=State.EXPIRED)


@transaction.atomic
def resubmit_overdue() -> int:
    """Submit again, as they were, answers that were sent back and whose time and grace are over. Returns how many.

    Nobody has rejected them, so they are owed a review: the time until they are accepted by themselves starts anew.
    When the worker submitted, and what they have typed since, stays as it is. Safe when several run at once.
    """
    now = timezone.now()
    overdue = Assignment.objects.filter(state=State.SENT_BACK, expires_at__lt=now - settings.LATE_GRACE)
    found = list(overdue.order_by("expires_at").select_for_update(skip_locked=True)[:SWEEP])
    if not found:
        return 0
    versions = Version.objects.filter(id__in={each.version_id for each in found})
    after = dict(versions.values_list("id", "auto_accept_after"))
    projects = Project.objects.filter(id__in={each.project_id for each in found})
    owners = dict(projects.values_list("id", "collective_id"))
    for each in found:
        each.state = State.SUBMITTED
        each.auto_accept_at = now + after[each.version_id]
    Assignment.objects.bulk_update(found, ["state", "auto_accept_at"])
    Move.objects.bulk_create([Move(assignment=each, to=State.SUBMITTED, why=_STANDS) for each in found])
    outbox.publish_many(
        "assignment.submitted",
        (
            (
                each.id,
                (owners[each.project_id], each.worker_id),
                {"project": str(each.project_id), "from": State.SENT_BACK.value},
            )
            for each in found
        ),
    )
    return len(found)


@transaction.atomic
def settle_rejections() -> int:
    """Free the places of rejections that stand: nobody appealed within the window. Returns how many."""
    standing = Assignment.objects.filter(state=State.REJECTED, settles_at__lt=timezone.now())
    return _sweep(standing, "settles_at", to=None)


def _sweep(due: "object", clock: str, *, to: State | None) -> int:
    rows = due.order_by(clock)  # type: ignore[attr-defined]
    wanted = list(rows.values_list("project_id", flat=True)[:SWEEP])
    held = lock_projects(wanted, wait=False)
    found = list(rows.filter(project_id__in=held).select_for_update(skip_locked=True)[:SWEEP])
    if to is not None:
        _give_back(found, to=to, by=None, why="")
    elif found:
        Assignment.objects.filter(id__in=[each.id for each in found]).update(settles_at=None)
        _reopen(found)
    return len(found)


def lock_projects(project_ids: Iterable[UUID], *, wait: bool = True) -> list[UUID]:
    """Keep these projects from being closed or repriced until the transaction ends. Returns those that were locked.

    A key-share lock: any number of workers may hold it at once, and an import goes on beside it.
    """
    ids = sorted(set(project_ids))
    with connection.cursor() as cursor:
        sql = "SELECT id FROM projects_project WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"
        cursor.execute(sql if wait else sql + " SKIP LOCKED", [ids])
        return [row[0] for row in cursor.fetchall()]


def _give_back(assignments: list[Assignment], *, to: State, by: User | None, why: str) -> None:
    if not assignments:
        return
    Assignment.objects.filter(id__in=[each.id for each in assignments]).update(
        state=to, decided_at=timezone.now(), auto_accept_at=None
    )
    Move.objects.bulk_create([Move(assignment=each, to=to, by=by, why=why) for each in assignments])
    taken: dict[tuple[UUID, UUID], int] = defaultdict(int)
    for each in assignments:
        taken[each.project_id, each.worker_id] += 1
        outbox.publish(
            f"assignment.{to}",
            subject=each.id,
            audience=[each.worker_id],
            data={"project": str(each.project_id), "from": each.state},
        )
    for project_id, worker_id in sorted(taken):
        Participation.objects.filter(project_id=project_id, worker_id=worker_id).update(
            taken=F("taken") - taken[project_id, worker_id]
        )
    _reopen(assignments)


def _reopen(assignments: list[Assignment]) -> None:
    by_project: dict[UUID, list[Assignment]] = defaultdict(list)
    for each in assignments:
        by_project[each.project_id].append(each)
    for project in Project.objects.filter(id__in=by_project).order_by("id"):
        freed = [places.Freed(each.id, each.position, each.task_id, each.reward) for each in by_project[project.id]]
        reopened = places.free_places(project=project, freed=freed)
        if reopened:
            outbox.publish("place.reopened", subject=project.id, data={"project": str(project.id), "places": reopened})
