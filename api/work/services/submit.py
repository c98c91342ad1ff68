"""Drafting and submitting."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from api.accounts.models import User
from api.core import metrics
from api.core.errors import FieldError, Invalid, NotFound
from api.core.postgres.prepared import Statement
from api.realtime import wakeup
from api.work import errors
from api.work.models import Assignment, State
from api.work.selectors import access_assignment, answer_problems

# One answer or draft, as JSON. An answer that needs more belongs in a file that it links to.
MAX_ANSWER_BYTES = 262_144
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_SUBMIT = Statement(
    "work_submit",
    ("uuid", "uuid", "uuid", "jsonb", "interval"),
    "SELECT code, version_id, project_id, submitted_at, auto_accept_at, late FROM work_submit($1, $2, $3, $4, $5)",
)
_latest: dict[UUID, UUID] = {}
"""The version each worker answered last in this process. A guess: it may be wrong or gone at any time."""
_LATEST_KEPT = 10_000
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
    # Only the assignment knows which version's schema holds. Instead of asking first, the answer is checked against
    # the version this worker was at last; where that was another, nothing is stored and the statement names the right.
    version_id = _latest.get(worker_id)
    while True:
        problems = answer_problems(version_id, answer) if version_id else []
        checked = None if problems else version_id
        row = _SUBMIT.call([assignment_id, worker_id, checked, text, settings.LATE_GRACE])
        code, actual, project_id, submitted_at, auto_accept_at, late = row
        if code != "unchecked":
            break
        if problems and actual == version_id:
            raise errors.InvalidAnswer(errors=problems)
        version_id = actual
        if len(_latest) >= _LATEST_KEPT:
            _latest.clear()
        _latest[worker_id] = version_id
    if code is not None:
        raise _REFUSALS[code]
    # The statement wrote an event.
    wakeup.after_commit()
    metrics.SUBMITS.inc()
    return Submission(submitted_at, auto_accept_at, late, actual, project_id)


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
