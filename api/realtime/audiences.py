"""Who hears of what: an event's audience are collectives, and domains above tell who belongs to them."""

from collections.abc import Callable, Collection, Mapping
from uuid import UUID

Memberships = Callable[[Collection[UUID]], Mapping[UUID, Collection[UUID]]]
_memberships: list[Memberships] = []


def register(memberships: Memberships) -> None:
    """Have `memberships(user_ids)` say to which collectives each user belongs now, besides the solo one."""
    if memberships not in _memberships:
        _memberships.append(memberships)


def of(user_ids: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """The audiences that each user is of: themselves, since a solo collective has the id of its user, and the rest."""
    found = {user_id: {user_id} for user_id in user_ids}
    for memberships in _memberships:
        for user_id, collective_ids in memberships(user_ids).items():
            found[user_id].update(collective_ids)
    return {user_id: frozenset(ids) for user_id, ids in found.items()}
