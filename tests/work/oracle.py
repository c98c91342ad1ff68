"""What the claim function must answer, said a second time in plain ORM: slowly, in the open, without its cursors.

The function may choose among the tasks that may be offered; which it chooses is its own affair (see docs/claiming.md).
"""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from api.accounts.models import User
from api.projects.models import OpenTask, Project, ProjectState, Task
from api.work.models import Assignment, State


@dataclass(frozen=True)
class Verdict:
    """Either the code of a refusal, or the tasks of which one must be given."""

    code: str | None
    tasks: frozenset[UUID] = frozenset()


def claim_verdict(worker: User, project_id: UUID, task_id: UUID | None = None) -> Verdict:
    """What claiming the next task, or a given one, must come to as things stand."""
    project = Project.objects.select_related("published").filter(id=project_id).first()
    if project is None or project.state == ProjectState.DRAFT:
        return Verdict("not_found")
    if project.state != ProjectState.PUBLISHED:
        return Verdict("project_not_open")
    if project.collective_id == worker.id:
        return Verdict("own_project")
    mine = Assignment.objects.filter(worker=worker)
    kept = mine.filter(project=project).exclude(state__in=[State.RETURNED, State.EXPIRED]).count()
    limit = project.published.max_tasks_per_worker
    if limit is not None and kept >= limit:
        return Verdict("worker_limit")
    if mine.filter(state__in=[State.CLAIMED, State.SENT_BACK]).count() >= settings.HOLD_LIMIT:
        return Verdict("hold_limit")
    had = set(mine.values_list("task_id", flat=True))
    tasks = frozenset(OpenTask.objects.filter(project=project, free__gte=1).values_list("task_id", flat=True)) - had
    if task_id is None:
        return Verdict(None, tasks) if tasks else Verdict("no_task_left")
    if not Task.objects.filter(id=task_id, project=project).exists():
        return Verdict("not_found")
    if task_id in had:
        return Verdict("already_had")
    return Verdict(None, frozenset({task_id})) if task_id in tasks else Verdict("task_taken")
