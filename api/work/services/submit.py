"""Drafting and submitting."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from api.accounts.models import User
from api.core.errors import FieldError, Invalid, NotFound
from api.core.postgres.prepared import Statement
from api.work import errors
from api.work.models import Assignment, State
from api.work.selectors import access_assignment, answer_problems

# One answer or draft, as JSON. An answer that needs more belongs in a file that it links to.
MAX_ANSWER_BYTES = 262_144
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_VERSION = Statement(
    "work_version",
    ("uuid", "uuid"),
    "SELECT version_id, project_id FROM work_assignment WHERE id = $1 AND worker_id = $2",
)
_REFUSALS = {"not_found": NotFound, "wrong_state": errors.WrongState, "too_late": errors.TooLate}


@dataclass(frozen=True, slots=True)
class Submission:
    submitted_at: datetime
    auto_accept_at: datetime
    late: bool
    version_id: UUID
    project_id: UUID


def submit_answer(*, assignment_id: UUID, worker_id: UUID, answer: Any) -> Submission:
    """Hand in the answer to a claimed or sent-back assignment.

    The answer is checked against the answer schema of the version that was claimed. Handing in the same answer twice
    is the same as once. After `expires_at` answers are taken for `settings.LATE_GRACE` more. Raises NotFound,
    InvalidAnswer with one error for each field, WrongState or TooLate.
    """
    text = checked_json(answer, "answer")
    row = _VERSION.fetchone([assignment_id, worker_id])
    if row is None:
        raise NotFound
    version_id, project_id = row
    if problems := answer_problems(version_id, answer):
        raise errors.InvalidAnswer(errors=problems)
    values: list[Any] = [assignment_id, worker_id, text, settings.LATE_GRACE]
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, submitted_at, auto_accept_at, late FROM work_submit(%s, %s, %s, %s)", values)
        code, submitted_at, auto_accept_at, late = cursor.fetchone()
    if code is not None:
        raise _REFUSALS[code]
    return Submission(submitted_at, auto_accept_at, late, version_id, project_id)


@transaction.atomic
def save_draft(*, assignment_id: UUID, worker: User, draft: Any) -> datetime:
    """Keep what a worker has typed so far, unchecked. Returns when it was saved.

    Raises NotFound, WrongState when the assignment is no longer at work, and TooLate.
    """
    text = checked_json(draft, "draft")
    assignment = access_assignment(worker, assignment_id, lock=True)
    now = timezone.now()
    if assignment.state not in State.held():
        raise errors.WrongState
    if now > assignment.late_until:
        raise errors.TooLate
    Assignment.objects.filter(id=assignment.id).update(draft=orjson.loads(text), draft_saved_at=now)
    return now


def checked_json(value: Any, field: str) -> str:
    """`value` as JSON text. Raises Invalid unless it is an object of bearable size that PostgreSQL can store."""
    if not isinstance(value, dict):
        raise Invalid(errors=[FieldError(field, "This must be a JSON object.")])
    text = orjson.dumps(value).decode()
    if len(text) > MAX_ANSWER_BYTES:
        raise Invalid(errors=[FieldError(field, f"This is longer than {MAX_ANSWER_BYTES} bytes.")])
    if _NUL.search(text):
        raise Invalid(errors=[FieldError(field, "Text must not contain NUL characters.")])
    return text
