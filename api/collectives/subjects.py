"""What messaging asks of collectives: threads of their members, and who stands behind one."""

from collections.abc import Collection
from uuid import UUID

from api.accounts.models import User
from api.collectives import selectors, services
from api.collectives.models import Collective
from api.core.errors import NotFound
from api.messaging import registry
from api.messaging.registry import Topic


def topic(user: User, collective_id: UUID, to: str) -> Topic:
    """The conversation of a group's members. Raises NotFound for others, and for a solo collective, which has one."""
    collective = selectors.access_collective(user, collective_id)
    if collective.kind == Collective.Kind.SOLO:
        raise NotFound
    return Topic(collective_id=collective.id, worker_id=None, by_worker=False, title=collective.name)


def may(user: User, collective_id: UUID, action: str) -> None:
    """Raises Denied."""
    services.govern(actor=user, action=action, subject=services.Belongs(collective_id))


def where_may(user: User, action: str, collective_ids: Collection[UUID]) -> set[UUID]:
    allowed = services.permitted(actor=user, actions=[action], collective_ids=collective_ids)
    return {id_ for id_, actions in allowed.items() if actions}


def members_of(collective_id: UUID) -> list[UUID]:
    return list(selectors.current_members(collective_id).order_by("id").values_list("user_id", flat=True))


def actors_of(collective_id: UUID) -> list[UUID]:
    return selectors.actors_for([collective_id]).get(collective_id, [])


def register() -> None:
    registry.register_topic("collective", topic)
    registry.register(
        registry.Collectives(
            ids_of=selectors.collective_ids_of,
            may=may,
            where_may=where_may,
            names_of=selectors.names_of,
            members_of=members_of,
            actors_of=actors_of,
        )
    )
