"""What is told to whom when something happens: domains above register it, since realtime knows none of them.

A *maker* turns events of the types it is registered for into notices. It is called with many events at once and asks
the database once for all of them. A notice goes to a user, or to those who act for a collective.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import DatabaseError

from api.realtime.cursor import Seen

_log = logging.getLogger("guildhall.notices")


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
    for name, (types, maker) in _makers.items():
        if wanted := [event for event in events if event.type in types]:
            notices += _made(name, maker, wanted)
    return notices


def _made(name: str, maker: Maker, events: Sequence[Seen]) -> list[Notice]:
    """What the maker tells of these. An event that it cannot deal with is logged and left out, and holds nobody up.

    What the database says is passed on: it may go better next time, and then nothing is lost.
    """
    try:
        return list(maker(events))
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001  (logged, when it is known whose fault it is)
        if len(events) == 1:
            _log.exception("no notice of an event", extra={"maker": name, "event": events[0].id})
            return []
    half = len(events) // 2
    return _made(name, maker, events[:half]) + _made(name, maker, events[half:])


def people_of(ids: Collection[UUID]) -> Mapping[UUID, Collection[UUID]]:
    """The users who are told what is for each of these; a user is told what is for them."""
    return _people[0](ids) if _people else {}
