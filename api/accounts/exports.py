"""Own data: each domain says what it holds about a user, and `/me/export` writes it all out."""

from collections.abc import Callable, Iterable
from typing import Any

from api.accounts.models import User

Part = Callable[[User], Iterable[Any]]
_parts: dict[str, Part] = {}


def register(name: str, part: Part) -> None:
    """Have `part(user)` called for every export; what it yields becomes the list `name`.

    It yields JSON-able objects one at a time, so that any amount goes out in constant memory. Raises ValueError when
    another part has the name already.
    """
    if _parts.get(name, part) is not part:
        raise ValueError(f"There is a part {name!r} already.")
    _parts[name] = part


def parts() -> dict[str, Part]:
    """The registered parts in the order they were registered."""
    return dict(_parts)
