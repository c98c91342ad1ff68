"""Frames between sockets that are worth nothing a moment later: who is typing, who is there. Never stored.

Domains above say whom such a frame of a user concerns, since realtime knows no threads.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

KEPT = 30.0
"""Seconds for which an answer of a resolver is used again."""
MOST_USERS = 150
"""So many ids fit into one notification of PostgreSQL; a frame for more people than that goes to the first."""
_MOST_KEPT = 5000


class Concern(NamedTuple):
    """Whom a frame is for, and what they get besides its `type`."""

    users: Collection[UUID]
    payload: Mapping[str, Any]


Resolver = Callable[[UUID, Mapping[str, Any]], tuple[Collection[UUID], Mapping[str, Any]] | None]
_resolvers: dict[str, Resolver] = {}
_kept: dict[tuple[str, UUID, str], tuple[float, Concern | None]] = {}


def register(type_: str, resolve: Resolver) -> None:
    """Have `resolve(user_id, frame)` say whom a frame of this type is for, and what to send them; None: nobody.

    It must refuse what the user may not see, and not tell a requester who a worker is. Asked again after `KEPT`
    seconds. For the type `presence` the answer goes to the one who asked, with `online`: whether one of them is there.
    """
    _resolvers[type_] = resolve


def types() -> Collection[str]:
    return _resolvers.keys()


def resolve(type_: str, user_id: UUID, frame: Mapping[str, Any]) -> Concern | None:
    """Whom the frame is for. Asks the database, so not for the event loop."""
    key = (type_, user_id, repr(sorted(frame.items())))
    kept = _kept.get(key)
    now = time.monotonic()
    if kept is not None and kept[0] > now:
        return kept[1]
    found = _resolvers[type_](user_id, frame)
    concern = None if found is None else Concern(list(found[0])[:MOST_USERS], found[1])
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[key] = (now + KEPT, concern)
    return concern
