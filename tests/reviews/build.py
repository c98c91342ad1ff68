"""Answers that wait for review."""

from typing import Any

from api.accounts.models import User
from api.projects.models import Project
from api.work import services as work
from api.work.models import Assignment
from tests.factories import make_user

REASON = "The photo shows a goose, not a duck."


def answer_next(project: Project, worker: User | None = None, answer: dict[str, Any] | None = None) -> Assignment:
    """The next task of the project, claimed and answered by `worker` (default: somebody new)."""
    worker = worker or make_user("Worker")
    taken = work.claim_next(worker_id=worker.id, project_id=project.id)
    work.submit_answer(assignment_id=taken.id, worker_id=worker.id, answer=answer or {"label": "1"})
    return Assignment.objects.select_related("worker").get(id=taken.id)


def answer_many(project: Project, count: int, worker: User | None = None) -> list[Assignment]:
    """`count` answers of one worker."""
    worker = worker or make_user("Worker")
    return [answer_next(project, worker) for _ in range(count)]


def fresh(assignment: Assignment) -> Assignment:
    return Assignment.objects.get(id=assignment.id)
