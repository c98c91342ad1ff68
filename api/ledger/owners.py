"""Whose purses a user may see and use. Collectives stand above the ledger, so they tell it; until then:
nobody's.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from api.accounts.models import User
from api.core.errors import NotAllowed


def _refuse(user: User, owner_id: UUID, action: str) -> None:
    raise NotAllowed


@dataclass(frozen=True)
class Owners:
    """What the ledger needs to know of the owners of purses.

    ids_of(user): ids of those the user belongs to (a query set goes into the query as it is). may(user,
    owner_id, action): returns, or raises NotAllowed; actions are `treasury.deposit`, `treasury.spend`.
    names_of(ids): their names by id.
    """

    ids_of: Callable[[User], Iterable[UUID]]
    may: Callable[[User, UUID, str], None]
    names_of: Callable[[Collection[UUID]], dict[UUID, str]]


_NOBODY = Owners(lambda user: (), _refuse, lambda ids: {})
_registered = [_NOBODY]


def register(owners: Owners) -> None:
    """Called once, when the app that knows the owners is ready."""
    _registered[:] = [owners]


def ids_of(user: User) -> Iterable[UUID]:
    return _registered[0].ids_of(user)


def require_may(user: User, owner_id: UUID | None, action: str) -> None:
    """Raises NotAllowed unless `user` may do `action` with this owner's money. The system's is nobody's."""
    if owner_id is None:
        raise NotAllowed
    _registered[0].may(user, owner_id, action)


def names_of(ids: Collection[UUID]) -> dict[UUID, str]:
    return _registered[0].names_of(ids)
