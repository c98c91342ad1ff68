"""A requester's group with a project, workers who have answered in it, and conversations about it."""

from dataclasses import dataclass, field
from typing import Any

from api.accounts.models import User
from api.collectives.models import Collective, Membership, Pseudonym
from api.messaging import services
from api.messaging.models import Message, Thread
from api.projects import services as projects
from api.projects.models import Project
from tests.factories import make_user
from tests.projects import build
from tests.reviews.build import answer_next


@dataclass
class Lab:
    """`owner` may write for the group, `member` only reads; `worker` has answered once: `assignment`."""

    group: Collective
    owner: User
    member: User
    worker: User
    project: Project
    assignment: Any
    others: list[User] = field(default_factory=list)

    def alias(self, worker: User | None = None) -> str:
        return Pseudonym.objects.get(collective=self.group, worker=worker or self.worker).alias

    def ask(self, body: str = "Is a *decoy* a duck?", by: User | None = None) -> tuple[Thread, Message]:
        """The worker asks about their assignment."""
        return services.open_thread(by=by or self.worker, kind="assignment", about_id=self.assignment.id, body=body)[:2]


def make_lab(name: str = "Duck Lab") -> Lab:
    group = Collective.objects.create(name=name)
    owner, member, worker = make_user("Ana Owner"), make_user("Mo Member"), make_user("Wanda Worker")
    Membership.objects.create(collective=group, user=owner, role="owner")
    Membership.objects.create(collective=group, user=member, role="member")
    build.give_money(group, 5000)  # type: ignore[arg-type]
    fields = {"title": "Ducks", "interface": build.INTERFACE, "reward": {"amount": 10, "currency": "USD"}}
    project = projects.create_project(by=owner, fields={**fields, "assignments_per_task": 5}, collective_id=group.id)
    build.add_tasks(project, 6)
    project = projects.publish_project(project_id=project.id, by=owner)
    return Lab(group, owner, member, worker, project, answer_next(project, worker))
