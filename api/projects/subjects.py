"""Threads about a project: a worker's question, a member's letter to a worker, announcements."""

from uuid import UUID

from api.accounts.models import User
from api.collectives import selectors as collectives
from api.core.errors import NotFound
from api.messaging import registry
from api.messaging.registry import Topic
from api.projects import selectors
from api.projects.models import Project


def topic(user: User, project_id: UUID, to: str) -> Topic:
    """Between the project's collective and the user, or the worker whom a member names. Raises NotFound and Invalid."""
    own = selectors.visible_projects(user).filter(id=project_id).first()
    if own is not None:
        worker_id = collectives.worker_called(own.collective_id, to)
        return Topic(own.collective_id, worker_id, by_worker=False, title=own.title, project_id=own.id)
    project = selectors.access_offer(project_id)
    return Topic(project.collective_id, user.pk, by_worker=True, title=project.title, project_id=project.id)


def seen(user: User, project_id: UUID) -> None:
    """Raises NotFound unless the user may look at the project."""
    if not selectors.visible_projects(user).filter(id=project_id).exists():
        selectors.access_offer(project_id)


def managed(user: User, project_id: UUID) -> Topic:
    """What a member announces about. Raises NotFound, and NotAllowed for others who may see the project."""
    project = selectors.access_project(user, project_id)
    if project.state == Project.State.DRAFT:
        raise NotFound("Nobody works on a project that was never published.")
    return Topic(project.collective_id, None, by_worker=False, title=project.title, project_id=project.id)


def register() -> None:
    registry.register_topic("project", topic)
    registry.register(registry.Projects(seen=seen, managed=managed))
