"""Asking whether an act may go on."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from api.accounts.models import User
from api.collectives.errors import Denied
from api.collectives.models import Membership
from api.collectives.selectors import role_in

ACTIONS = frozenset(
    {
        "project.create",
        "project.edit",
        "project.publish",
        "project.pause",
        "project.resume",
        "project.close",
        "project.import",
        "price.set",
        "task.take",
        "work.accept",
        "work.reject",
        "work.send_back",
        "work.bonus",
        "treasury.spend",
        "treasury.deposit",
        "collective.rename",
    }
)


class Governed(Protocol):
    """A subject of governed acts: anything that belongs to a collective."""

    @property
    def collective_id(self) -> UUID: ...


def govern(*, actor: User, action: str, subject: Governed, facts: Mapping[str, Any] | None = None) -> None:
    """Return when `actor` may do `action` to `subject` now.

    The rule today: owners of the collective may do every known act, and nobody else any. Raises Denied with the
    rule that denied it.
    """
    if action not in ACTIONS:
        raise Denied(f"No rule allows the act {action!r}.", action=action)
    role = role_in(actor, subject.collective_id)
    if role != Membership.Role.OWNER:
        raise Denied(f"Only owners of the collective may do this ({action}).", action=action)
