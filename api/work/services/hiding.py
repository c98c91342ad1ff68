"""Keeping projects out of one's feed."""

from uuid import UUID

from django.db import transaction

from api.accounts.models import User
from api.core.errors import NotFound
from api.projects.models import Project, ProjectState
from api.work.models import Hidden


@transaction.atomic
def hide_project(*, project_id: UUID, worker: User) -> None:
    """Keep a project out of the worker's feed. Raises NotFound for one that was never published."""
    if not Project.objects.filter(id=project_id).exclude(state=ProjectState.DRAFT).exists():
        raise NotFound
    Hidden.objects.get_or_create(worker=worker, project_id=project_id)


@transaction.atomic
def show_project(*, project_id: UUID, worker: User) -> None:
    """Let a hidden project into the feed again."""
    Hidden.objects.filter(worker=worker, project_id=project_id).delete()
