"""Asking whether an act may go on."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from api.accounts.models import User
from api.collectives.errors import Denied, FollowsUser, LastOwner
from api.collectives.models import Collective, Membership
from api.collectives.selectors import access_collective, role_in

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
        "message.send",
        "message.announce",
    }
)


class Governed(Protocol):
    """A subject of governed acts: anything that belongs to a collective."""

    @property
    def collective_id(self) -> UUID: ...


@dataclass(frozen=True, slots=True)
class Belongs:
    """A subject that is the collective itself, its money, or what is known only by it."""

    collective_id: UUID


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


def permitted(*, actor: User, actions: Iterable[str], collective_ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """Which of `actions` the actor might do now in each collective: what `govern` would let pass. One query.

    For showing what is possible; the act itself asks `govern`.
    """
    owned = set(
        Membership.objects.filter(
            user=actor, collective_id__in=collective_ids, role=Membership.Role.OWNER, until=None
        ).values_list("collective_id", flat=True)
    )
    known = frozenset(actions) & ACTIONS
    return {each: known if each in owned else frozenset() for each in collective_ids}


@transaction.atomic
def rename_collective(*, collective_id: UUID, by: User, name: str) -> Collective:
    """Give a group another name. Raises NotFound for strangers, FollowsUser for a solo one, and what `govern` does."""
    collective = access_collective(by, collective_id, lock=True)
    govern(actor=by, action="collective.rename", subject=Belongs(collective.id))
    if collective.kind == Collective.Kind.SOLO:
        raise FollowsUser
    collective.name = name
    collective.save(update_fields=["name"])
    return collective


def govern_treasury(user: User, collective_id: UUID, action: str) -> None:
    """`govern` for the money of a collective, as the ledger asks it. Raises Denied."""
    govern(actor=user, action=action, subject=Belongs(collective_id))


@transaction.atomic
def close_account(user: User, forfeit: bool) -> None:
    """End the user's memberships and close their own collective; a step of closing their account.

    Raises LastOwner where a group with other members would be left without an owner.
    """
    groups = Membership.objects.filter(user=user, until=None).exclude(collective_id=user.id)
    left = [each.collective for each in groups.select_related("collective") if _leaves_orphans(each)]
    if left:
        raise LastOwner(collectives=[{"id": str(each.id), "name": each.name} for each in left])
    groups.update(until=timezone.now())
    Collective.objects.filter(id=user.id).update(closed_at=timezone.now())


def _leaves_orphans(membership: Membership) -> bool:
    others = Membership.objects.filter(collective_id=membership.collective_id, until=None).exclude(id=membership.id)
    roles = set(others.values_list("role", flat=True))
    return membership.role == Membership.Role.OWNER and bool(roles) and Membership.Role.OWNER not in roles
