"""Accepting: by a person, one or many, or by the clock. Whoever does it, the worker is paid in the same transaction.

The hall is, where the worker has closed their account and with it given up what was not yet decided.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils import timezone

from api.accounts.models import User
from api.accounts.services.closing import keep_open
from api.collectives.services import govern
from api.core.errors import DomainError
from api.core.money import fee_of
from api.ledger import services as ledger
from api.ledger.models import Purse, Transfer
from api.projects.models import Project
from api.projects.selectors import access_project
from api.realtime import outbox
from api.reviews.errors import NotSubmitted, NotWhatWasSeen
from api.reviews.selectors import access_review, matching
from api.reviews.services.tally import locked_tally
from api.work.models import Assignment, Move, State

# Assignments that one call or one sweep decides at a time.
MOST_AT_ONCE = 20_000
SWEEP = 500
_log = logging.getLogger("guildhall.reviews")


@dataclass(slots=True)
class Accepted:
    """What came of accepting many: ids that were, ids that were passed over, and the rewards paid (minor units)."""

    ids: list[UUID] = field(default_factory=list)
    skipped: list[UUID] = field(default_factory=list)
    paid: int = 0
    currency: str = ""


@transaction.atomic
def accept_assignment(*, assignment_id: UUID, reviewer: User, comment: str = "") -> Assignment:
    """Accept an answer and pay for it.

    Also overturns a rejection whose money is still held. Accepting twice is the same as once. Raises NotFound,
    Denied, and NotSubmitted.
    """
    assignment = access_review(reviewer, assignment_id, lock=True)
    govern(actor=reviewer, action="work.accept", subject=assignment.project)
    if assignment.state == State.ACCEPTED:
        return assignment
    if not _can_accept(assignment):
        raise NotSubmitted
    _accept(assignment.project, [assignment], by=reviewer, comment=comment)
    assignment.refresh_from_db()
    return assignment


@transaction.atomic
def accept_many(
    *,
    project_id: UUID,
    reviewer: User,
    ids: Collection[UUID] | None = None,
    wanted: Mapping[str, Any] | None = None,
    expect: int | None = None,
) -> Accepted:
    """Accept the submitted answers among `ids`, or those that match a filter (see `selectors.matching`).

    The oldest `MOST_AT_ONCE` at most: call again for the rest. What is not submitted is passed over. With `expect`,
    refuses when another number matches than the reviewer saw. Raises NotFound, Denied, NotWhatWasSeen.
    """
    project = access_project(reviewer, project_id)
    govern(actor=reviewer, action="work.accept", subject=project)
    rows = matching(project, {**(wanted or {}), "state": State.SUBMITTED})
    if ids is not None:
        rows = rows.filter(id__in=ids)
    if expect is not None and (matched := rows.count()) != expect:
        raise NotWhatWasSeen(matching=matched)
    found = _lock(list(rows.order_by("id").values_list("id", flat=True)[:MOST_AT_ONCE]))
    result = _accept(project, [each for each in found if each.state == State.SUBMITTED], by=reviewer)
    result.skipped = sorted(set(ids or ()) - set(result.ids))
    return result


def accept_due() -> int:
    """Accept answers whose `auto_accept_at` has come. Returns how many.

    Safe when several run at once. One project's trouble does not keep the others waiting: what is due in them is
    looked up again without it.
    """
    due = Assignment.objects.filter(state=State.SUBMITTED, auto_accept_at__lte=timezone.now())
    accepted, troubled = 0, set[UUID]()
    while True:
        by_project: dict[UUID, list[UUID]] = defaultdict(list)
        rows = due.exclude(project_id__in=troubled).order_by("auto_accept_at")
        for project_id, assignment_id in rows.values_list("project_id", "id")[:SWEEP]:
            by_project[project_id].append(assignment_id)
        before = len(troubled)
        for project_id, ids in sorted(by_project.items()):
            try:
                accepted += _accept_by_clock(project_id, ids)
            except (DomainError, DatabaseError):
                _log.exception("accepting by the clock failed", extra={"project": str(project_id)})
                troubled.add(project_id)
        if len(troubled) == before:
            return accepted


@transaction.atomic
def _accept_by_clock(project_id: UUID, ids: Sequence[UUID]) -> int:
    project = Project.objects.get(id=project_id)
    rows = Assignment.objects.filter(id__in=ids, state=State.SUBMITTED, auto_accept_at__lte=timezone.now())
    found = list(rows.order_by("id").select_for_update(skip_locked=True))
    return len(_accept(project, found, by=None).ids)


def _lock(ids: Sequence[UUID]) -> list[Assignment]:
    return list(Assignment.objects.filter(id__in=ids).order_by("id").select_for_update())


def _can_accept(assignment: Assignment) -> bool:
    overturned = assignment.state == State.REJECTED and assignment.settles_at is not None
    return assignment.state == State.SUBMITTED or overturned


def _accept(project: Project, chosen: Sequence[Assignment], *, by: User | None, comment: str = "") -> Accepted:
    result = Accepted(currency=project.currency)
    if not chosen:
        return result
    now = timezone.now()
    overturned = sum(each.state == State.REJECTED for each in chosen)
    Assignment.objects.filter(id__in=[each.id for each in chosen]).update(
        state=State.ACCEPTED,
        decided_at=now,
        decided_by=by,
        category="",
        comment=comment,
        auto_accept_at=None,
        settles_at=None,
    )
    Move.objects.bulk_create(
        [Move(assignment=each, to=State.ACCEPTED, by=by, why=comment) for each in chosen], batch_size=2000
    )
    outbox.publish_many(
        "assignment.accepted",
        ((each.id, (each.worker_id, project.collective_id), _facts(project, each, by, now)) for each in chosen),
    )
    tally = locked_tally(project)
    tally.accepted += len(chosen)
    tally.rejected -= overturned
    tally.save()
    _pay(project, chosen, by)
    result.ids = [each.id for each in chosen]
    result.paid = sum(each.reward for each in chosen)
    return result


def _facts(project: Project, assignment: Assignment, by: User | None, now: datetime) -> dict[str, Any]:
    facts: dict[str, Any] = {"project": str(project.id), "from": assignment.state}
    if by is not None and assignment.submitted_at is not None:
        facts["review_seconds"] = round((now - assignment.submitted_at).total_seconds(), 3)
    return facts


def _pay(project: Project, chosen: Sequence[Assignment], by: User | None) -> None:
    escrow = ledger.hold_of(
        kind="project", subject_id=project.id, owner_id=project.collective_id, currency=project.currency
    )
    workers = {each.worker_id for each in chosen}
    closed = keep_open(workers)
    purses = ledger.purses_of(owner_ids=workers - closed, currency=project.currency)
    hall = None
    if project.fee_bps or closed:
        hall = ledger.system_purse(kind=Purse.Kind.FEES, currency=project.currency).id
        purses |= dict.fromkeys(closed, hall)
    moves = []
    for each in chosen:
        fee = fee_of(each.reward, project.fee_bps)
        lines = [(escrow.id, -each.reward - fee), (purses[each.worker_id], each.reward)]
        if hall is not None and fee:
            lines.append((hall, fee))
        if each.reward or fee:
            moves.append(
                ledger.Move(
                    key=f"accept:{each.id}",
                    kind=Transfer.Kind.ACCEPT,
                    lines=lines,
                    memo=project.title,
                    by=by.id if by else None,
                    subject=("assignment", each.id),
                )
            )
    if moves:
        ledger.transfer_many(moves=moves)
