"""Threads about a task or an assignment, and who works on a project. A member of the collective names the worker."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from api.accounts.models import User
from api.collectives import selectors as collectives
from api.core.errors import NotFound
from api.messaging import registry
from api.messaging.registry import Topic
from api.projects.models import Project, Task
from api.work.models import Assignment, Participation
from api.work.selectors import visible_assignments


def assignment_topic(user: User, assignment_id: UUID, to: str) -> Topic:
    """Between the assignment's worker and the project's collective. Raises NotFound for everybody else."""
    assignment = Assignment.objects.select_related("project", "task").filter(id=assignment_id).first()
    if assignment is None or not (assignment.worker_id == user.pk or _manages(user, assignment.project)):
        raise NotFound
    title = _title(assignment.project, assignment.task)
    return Topic(
        assignment.project.collective_id,
        assignment.worker_id,
        by_worker=assignment.worker_id == user.pk,
        title=title,
        project_id=assignment.project_id,
    )


def task_topic(user: User, task_id: UUID, to: str) -> Topic:
    """Between one who has or had the task and the project's collective. Raises NotFound, and Invalid naming `to`."""
    task = Task.objects.select_related("project").filter(id=task_id).first()
    if task is None:
        raise NotFound
    project = task.project
    by_worker = visible_assignments(user).filter(task=task).exists()
    if not by_worker and not _manages(user, project):
        raise NotFound
    worker_id = user.pk if by_worker else collectives.worker_called(project.collective_id, to)
    if not by_worker and not Assignment.objects.filter(task=task, worker_id=worker_id).exists():
        raise NotFound
    return Topic(
        project.collective_id, worker_id, by_worker=by_worker, title=_title(project, task), project_id=project.id
    )


def projects_of(user: User) -> QuerySet[Participation, Any]:
    """Ids of the projects a user has worked on, for use inside another query."""
    return Participation.objects.filter(worker=user, claims__gt=0).values_list("project_id")


def working_on(project_id: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """Who has worked on a project, past a worker, in the order of their ids."""
    rows = Participation.objects.filter(project_id=project_id, claims__gt=0).order_by("worker_id")
    if after is not None:
        rows = rows.filter(worker_id__gt=after)
    return list(rows.values_list("worker_id", flat=True)[:limit])


def pseudonym(collective_id: UUID, worker_id: UUID) -> str:
    """The name under which the collective knows the worker, as a claim makes it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT work_pseudonym(%s, %s)", [collective_id, worker_id])
    return collectives.pseudonym_of(collective_id, worker_id)


def _manages(user: User, project: Project) -> bool:
    return collectives.role_in(user, project.collective_id) is not None


def _title(project: Project, task: Task) -> str:
    return f"Task {task.position + 1} of {project.title}"


def register() -> None:
    registry.register_topic("assignment", assignment_topic)
    registry.register_topic("task", task_topic)
    registry.register(registry.Workers(projects_of=projects_of, working_on=working_on, pseudonym=pseudonym))
