"""Projects made through their services, and money to pay for them."""

from typing import Any
from uuid import uuid4

from api.accounts.models import User
from api.core.ids import uuid7
from api.ledger import services as ledger
from api.ledger.models import Purse, Transfer
from api.ledger.selectors import balance_of, held_for
from api.projects import services
from api.projects.models import Batch, Project, ProjectStats, Task

INTERFACE = {
    "kind": "elements",
    "elements": [
        {"show": "text", "from": "name"},
        {"ask": "choice", "key": "label", "label": "A duck?", "required": True,
         "options": [{"value": "1", "label": "Yes"}, {"value": "0", "label": "No"}]},
    ],
}  # fmt: skip


def give_money(user: User, amount: int, currency: str = "USD") -> None:
    """Put money from outside into the purse of a user's own collective."""
    outside = ledger.system_purse(kind=Purse.Kind.EXTERNAL, currency=currency)
    purse = ledger.purse_of(owner_id=user.id, currency=currency)
    lines = [(outside.id, -amount), (purse.id, amount)]
    ledger.transfer(key=f"test:{uuid4()}", kind=Transfer.Kind.DEPOSIT, lines=lines)


def purse_left(user: User) -> int:
    return balance_of(owner_id=user.id, currency="USD")


def escrow_of(project: Project) -> int:
    return held_for(kind="project", subject_id=project.id)


def draft(owner: User, *, tasks: int = 3, **fields: Any) -> Project:
    """A draft that lacks nothing: reward 10, two assignments for each of its tasks."""
    project = services.create_project(
        by=owner,
        fields={
            "title": "Ducks",
            "interface": INTERFACE,
            "reward": {"amount": 10, "currency": "USD"},
            "assignments_per_task": 2,
            **fields,
        },
    )
    if tasks:
        add_tasks(project, tasks)
    return Project.objects.get(id=project.id)


def add_tasks(project: Project, count: int, data: dict[str, Any] | None = None) -> None:
    """Rows as an import leaves them in a draft."""
    first = Project.objects.get(id=project.id).last_position + 1
    batch = Batch.objects.create(
        project=project, format="json", on_error="refuse", added=count, created_by=project.created_by
    )
    Task.objects.bulk_create(
        [
            Task(id=uuid7(), project=project, batch=batch, position=n, key=f"t{n}", input=data or {"name": f"duck {n}"})
            for n in range(first, first + count)
        ]
    )
    Project.objects.filter(id=project.id).update(last_position=first + count - 1)
    stats = ProjectStats.objects.get(project=project)
    stats.tasks += count
    stats.save()


def published(owner: User, *, money: int = 1000, tasks: int = 3, **fields: Any) -> Project:
    """A published project: 3 tasks with 2 places at 10 each cost 60."""
    give_money(owner, money)
    project = draft(owner, tasks=tasks, **fields)
    return services.publish_project(project_id=project.id, by=owner)
