"""Who sees which assignment, and what a worker may work on."""

from functools import lru_cache
from typing import Any
from uuid import UUID

import jsonschema_rs
from django.db.models import QuerySet

from api.accounts.models import User
from api.core.errors import FieldError, NotFound
from api.projects import schemas
from api.projects.models import Version
from api.work.models import Assignment, Move, State


def visible_assignments(user: User) -> QuerySet[Assignment]:
    """A worker's own assignments. What requesters see of them is `reviews`' to say."""
    return Assignment.objects.filter(worker=user)


def access_assignment(user: User, assignment_id: UUID, *, lock: bool = False) -> Assignment:
    """One of the worker's assignments, locked when it is to be changed. Raises NotFound."""
    rows = visible_assignments(user)
    if lock:
        rows = rows.select_for_update()
    assignment = rows.filter(id=assignment_id).first()
    if assignment is None:
        raise NotFound
    return assignment


@lru_cache(maxsize=4096)
def answer_validator(version_id: UUID) -> jsonschema_rs.Draft202012Validator:
    """The compiled answer schema of a published version, which never changes."""
    document = Version.objects.values_list("answer_schema", flat=True).get(id=version_id)
    return schemas.validator_for(version_id, "answer", document)


def answer_problems(version_id: UUID, answer: dict[str, Any]) -> list[FieldError]:
    """What is wrong with an answer, by field; empty when nothing is."""
    validator = answer_validator(version_id)
    return [] if validator.is_valid(answer) else schemas.problems(validator, answer)


def decision_of(assignment: Assignment) -> dict[str, Any] | None:
    """What was decided about an answer, and whether a clock did; None before."""
    if assignment.state not in (State.ACCEPTED, State.REJECTED, State.SENT_BACK):
        return None
    return {
        "category": assignment.category,
        "comment": assignment.comment,
        "by_clock": assignment.decided_by_id is None,
    }


def moves_of(assignment: Assignment, moves: list[Move]) -> list[dict[str, Any]]:
    """Each move, with its maker's part in it instead of their name."""

    def by(move: Move) -> str:
        if move.by_id is None:
            return "clock"
        return "worker" if move.by_id == assignment.worker_id else "requester"

    return [{"to": move.to, "at": move.at, "by": by(move), "why": move.why} for move in moves]
