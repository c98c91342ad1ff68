"""Rejecting and sending back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from api.accounts.models import User
from api.collectives.services import govern
from api.core.errors import FieldError, Invalid
from api.projects.models import Version
from api.projects.selectors import access_project
from api.realtime import outbox
from api.reviews.errors import NotSubmitted, SentBackTooOften
from api.reviews.models import Rejection
from api.reviews.selectors import access_review
from api.reviews.services.tally import locked_tally, require_not_halted
from api.work.models import Assignment, Move, State

SHORTEST_REASON = 20
SHORTEST_COMMENT = 10
# A worker is not always there: less would pass while they sleep.
SHORTEST_TIME = timedelta(hours=24)
MOST_ROUNDS = 3


@transaction.atomic
def reject_assignment(*, assignment_id: UUID, reviewer: User, category: str, reason: str) -> Assignment:
    """Refuse to pay for an answer.

    The reward stays in escrow, and the place taken, until the appeal window has passed. Rejecting twice is the same
    as once. Raises NotFound, Denied, Invalid without a category and a reason of 20 characters, NotSubmitted, and
    RejectionsHalted past the project's limit.
    """
    _require_reason(category, reason)
    assignment = access_review(reviewer, assignment_id, lock=True)
    govern(actor=reviewer, action="work.reject", subject=assignment.project)
    if assignment.state == State.REJECTED:
        return assignment
    if assignment.state != State.SUBMITTED:
        raise NotSubmitted
    _reject(assignment, reviewer, category, reason)
    return assignment


@transaction.atomic
def reject_many(*, project_id: UUID, ids: Collection[UUID], reviewer: User, category: str, reason: str) -> list[UUID]:
    """Reject each submitted answer among `ids`, all or none. Returns those that were; raises as for one."""
    _require_reason(category, reason)
    project = access_project(reviewer, project_id)
    govern(actor=reviewer, action="work.reject", subject=project)
    rows = Assignment.objects.filter(id__in=ids, project=project, state=State.SUBMITTED).select_related("project")
    chosen = list(rows.order_by("id").select_for_update(of=("self",)))
    for assignment in chosen:
        _reject(assignment, reviewer, category, reason)
    return [each.id for each in chosen]


@transaction.atomic
def send_back(*, assignment_id: UUID, reviewer: User, comment: str, lasts: timedelta | None = None) -> Assignment:
    """Ask the worker to do an answer again, within `lasts`: at least, and unless told, 24 hours or what a claim lasts.

    The answer becomes the draft they go on from, unless they have begun one in a round before. When the time runs out
    the answer stands (`work.services.resubmit_overdue`). Raises NotFound, Denied, Invalid without a comment or with
    less time, NotSubmitted, and SentBackTooOften after `MOST_ROUNDS`.
    """
    _require_comment(comment)
    assignment = access_review(reviewer, assignment_id, lock=True)
    govern(actor=reviewer, action="work.send_back", subject=assignment.project)
    if assignment.state != State.SUBMITTED:
        raise NotSubmitted
    _send_back([assignment], reviewer, comment, lasts)
    return assignment


@transaction.atomic
def send_back_many(
    *, project_id: UUID, ids: Collection[UUID], reviewer: User, comment: str, lasts: timedelta | None = None
) -> list[UUID]:
    """Send back each submitted answer among `ids`, all or none. Returns those that were; raises as for one."""
    _require_comment(comment)
    project = access_project(reviewer, project_id)
    govern(actor=reviewer, action="work.send_back", subject=project)
    rows = Assignment.objects.filter(id__in=ids, project=project, state=State.SUBMITTED).select_related("project")
    chosen = list(rows.order_by("id").select_for_update(of=("self",)))
    _send_back(chosen, reviewer, comment, lasts)
    return [each.id for each in chosen]


def _reject(assignment: Assignment, reviewer: User, category: str, reason: str) -> None:
    tally = locked_tally(assignment.project)
    require_not_halted(tally)
    tally.rejected += 1
    tally.save()
    now = timezone.now()
    assignment.state = State.REJECTED
    assignment.decided_at = now
    assignment.decided_by = reviewer
    assignment.category = category
    assignment.comment = reason
    assignment.auto_accept_at = None
    assignment.settles_at = now + settings.APPEAL_WINDOW
    assignment.save()
    _record(assignment, reviewer, reason, now_seconds=True)


def _send_back(chosen: Sequence[Assignment], reviewer: User, comment: str, lasts: timedelta | None) -> None:
    least = _shortest_times(chosen)
    _require_time(lasts, least)
    _require_rounds_left(chosen)
    now = timezone.now()
    for assignment in chosen:
        assignment.state = State.SENT_BACK
        assignment.decided_at = now
        assignment.decided_by = reviewer
        assignment.comment = comment
        if assignment.draft is None:
            assignment.draft, assignment.draft_saved_at = assignment.answer, now
        assignment.auto_accept_at = None
        assignment.expires_at = now + (lasts or least[assignment.version_id])
        assignment.save()
        _record(assignment, reviewer, comment, now_seconds=False)


def _shortest_times(chosen: Sequence[Assignment]) -> dict[UUID, timedelta]:
    """By version, the least time in which a worker may be asked to do an answer again."""
    versions = Version.objects.filter(id__in={each.version_id for each in chosen})
    return {id_: max(lasts, SHORTEST_TIME) for id_, lasts in versions.values_list("id", "claim_lasts")}


def _record(assignment: Assignment, reviewer: User, why: str, *, now_seconds: bool) -> None:
    Move.objects.create(assignment=assignment, to=assignment.state, by=reviewer, why=why)
    facts: dict[str, object] = {"project": str(assignment.project_id), "from": State.SUBMITTED.value}
    if now_seconds and assignment.submitted_at and assignment.decided_at:
        facts["review_seconds"] = round((assignment.decided_at - assignment.submitted_at).total_seconds(), 3)
    outbox.publish(
        f"assignment.{assignment.state}",
        subject=assignment.id,
        audience=[assignment.worker_id, assignment.project.collective_id],
        data=facts,
    )


def _require_reason(category: str, reason: str) -> None:
    errors = []
    if category not in Rejection.values:
        errors.append(FieldError("category", f"Choose one of {', '.join(Rejection.values)}.", "invalid_choice"))
    if len(reason.strip()) < SHORTEST_REASON:
        detail = f"Tell the worker why, in at least {SHORTEST_REASON} characters."
        errors.append(FieldError("reason", detail, "too_short"))
    if errors:
        raise Invalid(errors=errors)


def _require_comment(comment: str) -> None:
    if len(comment.strip()) < SHORTEST_COMMENT:
        detail = f"Tell the worker what to change, in at least {SHORTEST_COMMENT} characters."
        raise Invalid(errors=[FieldError("comment", detail, "too_short")])


def _require_time(lasts: timedelta | None, least: Mapping[UUID, timedelta]) -> None:
    longest = max([SHORTEST_TIME, *least.values()])
    if lasts is not None and lasts < longest:
        detail = (
            f"Give the worker at least {int(longest.total_seconds())} seconds: 24 hours, or what a claim lasts if that"
            " is longer."
        )
        raise Invalid(errors=[FieldError("lasts", detail, "too_short")])


def _require_rounds_left(chosen: Sequence[Assignment]) -> None:
    """The assignments are locked, so nobody adds a round meanwhile."""
    rounds = Move.objects.filter(assignment__in=[each.id for each in chosen], to=State.SENT_BACK)
    counted = rounds.values("assignment_id").annotate(rounds=Count("id")).filter(rounds__gte=MOST_ROUNDS)
    if spent := sorted(counted.values_list("assignment_id", flat=True)):
        raise SentBackTooOften(assignments=[str(each) for each in spent])
