"""What messaging asks of the domains above it: what a thread may be about, and who stands behind a collective's id."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from api.accounts.models import User
from api.core.errors import FieldError, Invalid, NotFound

SEND = "message.send"
ANNOUNCE = "message.announce"
"""The governed acts of writing in the name of a collective."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a thread is about, and between whom: without a worker, between the members of the collective.

    `by_worker` says on which side the user stands who asked. `project_id` is the project that it belongs to.
    """

    collective_id: UUID
    worker_id: UUID | None
    by_worker: bool
    title: str
    project_id: UUID | None = None


# (user, id, to): `to` is the pseudonym of the worker whom a member writes to, or empty. Raises NotFound for what the
# user may not see, and Invalid naming `to` where a worker has to be named.
FindTopic = Callable[[User, UUID, str], Topic]


@dataclass(frozen=True, slots=True)
class Collectives:
    """`ids_of(user)` are those the user belongs to, for use in a query; `may(user, collective, action)` raises what
    the collective's rules refuse with, and `where_may` tells those of several where it would not; `members_of` are the
    users who belong to a collective, `actors_of` those who act for it.
    """

    ids_of: Callable[[User], QuerySet[Any, Any]]
    may: Callable[[User, UUID, str], None]
    where_may: Callable[[User, str, Collection[UUID]], Collection[UUID]]
    names_of: Callable[[Collection[UUID]], Mapping[UUID, str]]
    members_of: Callable[[UUID], list[UUID]]
    actors_of: Callable[[UUID], list[UUID]]


@dataclass(frozen=True, slots=True)
class Workers:
    """`projects_of(user)` are the projects a user has worked on, for use in a query.
    `working_on(project, after, limit)` are the ids of its workers past `after`, in order.
    `pseudonym(collective, worker)` makes one where there is none.
    """

    projects_of: Callable[[User], QuerySet[Any, Any]]
    working_on: Callable[[UUID, UUID | None, int], list[UUID]]
    pseudonym: Callable[[UUID, UUID], str]


@dataclass(frozen=True, slots=True)
class Projects:
    """`seen(user, project)` raises NotFound unless they may look at it; `managed(user, project)` is what a member
    announces about, and raises NotAllowed for others who may see it.
    """

    seen: Callable[[User, UUID], None]
    managed: Callable[[User, UUID], Topic]


_topics: dict[str, FindTopic] = {}
_parts: dict[type, Any] = {}


def register_topic(kind: str, find: FindTopic) -> None:
    """Let threads be about things of this kind. Raises ValueError when another has it already."""
    if _topics.get(kind, find) is not find:
        raise ValueError(f"There is a topic {kind!r} already.")
    _topics[kind] = find


def register(part: Collectives | Workers | Projects) -> None:
    _parts[type(part)] = part


def topic(user: User, kind: str, id_: UUID, to: str = "") -> Topic:
    """What the user would write about. Raises NotFound, and Invalid naming the field."""
    if kind not in _topics:
        known = ", ".join(sorted(_topics))
        raise Invalid(errors=[FieldError("about.kind", f"A thread is about one of: {known}.", "invalid_choice")])
    found = _topics[kind](user, id_, to)
    if found.worker_id == user.pk and not found.by_worker:
        raise NotFound
    return found


def collectives() -> Collectives:
    part: Collectives = _parts[Collectives]
    return part


def workers() -> Workers:
    part: Workers = _parts[Workers]
    return part


def projects() -> Projects:
    part: Projects = _parts[Projects]
    return part
