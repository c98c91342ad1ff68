"""What the work domain holds about a user, for the export of their data."""

from collections.abc import Iterator
from typing import Any

from api.accounts.models import User
from api.work.models import Assignment, Hidden, Move


def own_assignments(user: User) -> Iterator[Any]:
    """The user's assignments with input, draft, answer and decision."""
    rows = Assignment.objects.filter(worker=user).select_related("task", "project").order_by("id")
    for each in rows.iterator(chunk_size=500):
        yield {
            "id": each.id,
            "project": each.project.title,
            "task": each.task_id,
            "state": each.state,
            "input": each.task.input,
            "draft": each.draft,
            "answer": each.answer,
            "reward": each.reward,
            "currency": each.project.currency,
            "claimed_at": each.claimed_at,
            "submitted_at": each.submitted_at,
            "decided_at": each.decided_at,
            "category": each.category,
            "comment": each.comment,
        }


def own_moves(user: User) -> Iterator[Any]:
    """Every change of an assignment's state that the user made, as worker or as reviewer."""
    rows = Move.objects.filter(by=user).order_by("id")
    for each in rows.iterator(chunk_size=2000):
        yield {"assignment": each.assignment_id, "to": each.to, "at": each.at, "why": each.why}


def own_hidden(user: User) -> Iterator[Any]:
    """The projects the user does not want to see."""
    for project_id, title, at in Hidden.objects.filter(worker=user).values_list("project_id", "project__title", "at"):
        yield {"project": project_id, "title": title, "at": at}
