"""Claiming: the one statement that picks a task, reserves a place and makes the assignment.

The statement is `work_claim`, a function of the database, so that its plans are kept and it is one round trip.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from api.core import metrics
from api.core.errors import DomainError, NotFound
from api.core.ids import uuid7
from api.core.postgres.prepared import Statement
from api.realtime import wakeup
from api.work import errors

_CLAIM = Statement(
    "work_claim",
    ("uuid", "uuid", "uuid", "uuid", "int"),
    "SELECT code, task_id, version_id, reward, currency, claimed_at, expires_at, input::text"
    " FROM work_claim($1, $2, $3, $4, $5)",
)
_REFUSALS: dict[str, type[DomainError]] = {
    "not_found": NotFound,
    "project_not_open": errors.ProjectNotOpen,
    "own_project": errors.OwnProject,
    "worker_limit": errors.WorkerLimit,
    "hold_limit": errors.HoldLimit,
    "no_task_left": errors.NoTaskLeft,
    "task_taken": errors.TaskTaken,
    "already_had": errors.AlreadyHad,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A fresh assignment with what its worker needs to begin. `reward` is in minor units of `currency`."""

    id: UUID
    project_id: UUID
    task_id: UUID
    version_id: UUID
    reward: int
    currency: str
    claimed_at: datetime
    expires_at: datetime
    input: dict[str, Any]


def claim_next(*, worker_id: UUID, project_id: UUID) -> Claim:
    """Give `worker_id` the next task of a project that they have not had.

    Takes one place of the task; costs the same whatever the number of tasks and of what the worker has done. Raises
    NotFound, ProjectNotOpen, OwnProject, WorkerLimit, HoldLimit or NoTaskLeft.
    """
    return _claim(worker_id, project_id, None)


def claim_task(*, worker_id: UUID, project_id: UUID, task_id: UUID) -> Claim:
    """Give `worker_id` one given task. Raises as `claim_next` does, and TaskTaken or AlreadyHad."""
    return _claim(worker_id, project_id, task_id)


def _claim(worker_id: UUID, project_id: UUID, task_id: UUID | None) -> Claim:
    assignment_id = uuid7()
    row = _CLAIM.call([assignment_id, worker_id, project_id, task_id, settings.HOLD_LIMIT])
    code, task, version, reward, currency, claimed_at, expires_at, data = row
    if code is not None:
        raise _REFUSALS[code]
    # The statement wrote an event.
    wakeup.after_commit()
    metrics.CLAIMS.inc()
    return Claim(assignment_id, project_id, task, version, reward, currency, claimed_at, expires_at, orjson.loads(data))
