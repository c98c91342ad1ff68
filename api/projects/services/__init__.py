"""Everything that changes projects, their tasks and their places."""

from api.projects.services.checks import document_problems, implied_schemas
from api.projects.services.escrow import fund_places
from api.projects.services.lifecycle import (
    Quote,
    close_project,
    create_project,
    delete_batch,
    delete_project,
    delete_task,
    discard_draft,
    edit_project,
    pause_project,
    publish_project,
    quote,
    refuse_open_projects,
    resume_project,
)
from api.projects.services.rollup import roll_up, rollup_lag
from api.projects.services.tasks import add_tasks, import_tasks, read_tasks, require_can_import

__all__ = [
    "Quote",
    "add_tasks",
    "close_project",
    "create_project",
    "delete_batch",
    "delete_project",
    "delete_task",
    "discard_draft",
    "document_problems",
    "edit_project",
    "fund_places",
    "implied_schemas",
    "import_tasks",
    "pause_project",
    "publish_project",
    "quote",
    "read_tasks",
    "refuse_open_projects",
    "require_can_import",
    "resume_project",
    "roll_up",
    "rollup_lag",
]
