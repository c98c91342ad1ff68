"""Who belongs to what."""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from api.accounts.models import User
from api.collectives.models import Collective, Membership, Pseudonym
from api.core.errors import FieldError, Invalid, NotFound


def visible_collectives(user: User) -> QuerySet[Collective]:
    """The collectives a user belongs to."""
    return Collective.objects.filter(memberships__user=user, memberships__until=None)


def access_collective(user: User, collective_id: UUID, *, lock: bool = False) -> Collective:
    """One of the user's collectives. Raises NotFound."""
    rows = visible_collectives(user)
    if lock:
        rows = rows.select_for_update(of=("self",))
    collective = rows.filter(id=collective_id).first()
    if collective is None:
        raise NotFound
    return collective


def with_role(user: User) -> QuerySet[Collective]:
    """The user's collectives, each with the user's `role` in it."""
    return visible_collectives(user).annotate(role=F("memberships__role"))


def current_members(collective_id: UUID) -> QuerySet[Membership]:
    """Who belongs to a collective now, with their users."""
    return Membership.objects.filter(collective_id=collective_id, until=None).select_related("user")


def collective_ids_of(user: User) -> QuerySet[Membership, UUID]:
    """Ids of the user's collectives, for use inside another query."""
    return Membership.objects.filter(user=user, until=None).values_list("collective_id", flat=True)


def names_of(ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of collectives by id."""
    return dict(Collective.objects.filter(id__in=ids).values_list("id", "name"))


def actors_for(ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The users who may act for each of these collectives now, and so are told what happens to it."""
    owners = Membership.objects.filter(
        collective_id__in=ids, collective__closed_at=None, user__is_active=True, until=None, role=Membership.Role.OWNER
    )
    found: dict[UUID, list[UUID]] = {}
    for collective_id, user_id in owners.order_by("id").values_list("collective_id", "user_id"):
        found.setdefault(collective_id, []).append(user_id)
    return found


def collectives_of(user_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The ids of the collectives to which each of these users belongs now."""
    found: dict[UUID, list[UUID]] = {}
    places = Membership.objects.filter(user_id__in=user_ids, until=None)
    for user_id, collective_id in places.values_list("user_id", "collective_id"):
        found.setdefault(user_id, []).append(collective_id)
    return found


def role_in(user: User, collective_id: UUID) -> str | None:
    """`owner`, `member`, or None for a stranger."""
    return (
        Membership.objects.filter(user=user, collective_id=collective_id, until=None)
        .values_list("role", flat=True)
        .first()
    )


def pseudonym_of(collective_id: UUID, worker_id: UUID) -> str:
    """The name under which a collective knows a worker; empty while it has none."""
    rows = Pseudonym.objects.filter(collective_id=collective_id, worker_id=worker_id)
    return rows.values_list("alias", flat=True).first() or ""


def worker_called(collective_id: UUID, alias: str) -> UUID:
    """The worker whom a collective knows under this name. Raises Invalid naming `to`."""
    rows = Pseudonym.objects.filter(collective_id=collective_id, alias=alias.strip().upper())
    worker_id = rows.values_list("worker_id", flat=True).first()
    if worker_id is None:
        detail = "Name the worker by the pseudonym that your collective knows them by."
        raise Invalid(errors=[FieldError("to", detail, "required" if not alias else "unknown")])
    return worker_id


def owns(user: User) -> Q:
    """For rows with a `collective_id`: those of the user's collectives."""
    return Q(collective_id__in=collective_ids_of(user))


def own_memberships(user: User) -> Iterator[Any]:
    """The user's memberships, past ones too, for the export of their data."""
    rows = Membership.objects.filter(user=user).order_by("id")
    yield from rows.values("collective_id", "role", "since", "until", name=F("collective__name")).iterator()
