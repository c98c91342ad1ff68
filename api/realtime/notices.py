"""What is told to whom when something happens: domains above register it, since realtime knows none of them.

A *maker* turns events of the types it is registered for into notices. It is called with many events at once and asks
the database once for all of them. A notice goes to a user, or to those who act for a collective.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from api.realtime.cursor import Seen


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell. `to` is the id of a user or of a collective; `but_not` is the user who did it, who knows.

    What is unread of the same kind and subject is added up: `count`, and `amount` in minor units of `currency`. `data`
    has what the words need, and nothing by which a requester could tell who a worker is.
    """

    to: UUID
    kind: str
    subject: UUID
    data: Mapping[str, Any] = field(default_factory=dict)
    count: int = 1
    amount: int | None = None
    currency: str = ""
    but_not: UUID | None = None


Maker = Callable[[Sequence[Seen]], Iterable[Notice]]
People = Callable[[Collection[UUID]], Mapping[UUID, Collection[UUID]]]
_makers: dict[str, tuple[frozenset[str], Maker]] = {}
_people: list[People] = []


def register(name: str, types: Iterable[str], maker: Maker) -> None:
    """Have `maker` called with the events of these types. Raises ValueError when another has the name already."""
    if name in _makers and _makers[name][1] is not maker:
        raise ValueError(f"There is a maker {name!r} already.")
    _makers[name] = (frozenset(types), maker)


def register_people(people: People) -> None:
    """Have `people(ids)` say who is told what is for collectives: their users, by the collective's id."""
    _people[:] = [people]


def of(events: Sequence[Seen]) -> list[Notice]:
    """What these events tell, in the order of the makers."""
    notices: list[Notice] = []
    for types, maker in _makers.values():
        if wanted := [event for event in events if event.type in types]:
            notices += maker(wanted)
    return notices


def people_of(ids: Collection[UUID]) -> Mapping[UUID, Collection[UUID]]:
    """The users who are told what is for each of these; a user is told what is for them."""
    return _people[0](ids) if _people else {}
