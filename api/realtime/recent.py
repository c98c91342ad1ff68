"""The newest events in memory, so that many sockets that come back at once do not each ask the database."""

from collections import deque
from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID


class Item(NamedTuple):
    """An event as it is sent: `frame` is made once, whatever the number of those who get it."""

    id: int
    xid: int
    oldest: int
    type: str
    audience: tuple[UUID, ...]
    frame: bytes


class Recent:
    """At most `size` events, and exactly which transactions they cover.

    `floor`: every event of that transaction and of later ones, as far as it could be seen, is here. Not for threads.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.floor = 0
        self.newest = 0
        self._items: deque[Item] = deque()
        self._oldest_of: dict[int, int] = {}
        self._by_audience: dict[UUID, deque[Item]] = {}

    def start(self, floor: int, newest: int) -> None:
        """Begin anew, covering what comes from transaction `floor` on."""
        self.__init__(self.size)  # type: ignore[misc]
        self.floor = floor
        self.newest = newest

    def __contains__(self, event_id: int) -> bool:
        return event_id in self._oldest_of

    def add(self, item: Item) -> None:
        self._items.append(item)
        self._oldest_of[item.id] = item.oldest
        for each in item.audience:
            self._by_audience.setdefault(each, deque()).append(item)
        self.newest = max(self.newest, item.id)
        if len(self._items) > self.size:
            self._drop()

    def oldest_of(self, event_id: int) -> int | None:
        """The oldest transaction that ran when this event was written; None where it is not here."""
        return self._oldest_of.get(event_id)

    def since(self, event_id: int, oldest: int, audience: Collection[UUID]) -> list[Item] | None:
        """What somebody may have missed who saw the event `event_id`, in order of ids; None when it is not all here.

        It holds some that they have seen: ids commit out of order, so that nobody can tell which.
        """
        if oldest < self.floor:
            return None
        found = {
            item.id: item
            for each in audience
            for item in self._by_audience.get(each, ())
            if item.xid >= oldest and item.id != event_id
        }
        return [found[id_] for id_ in sorted(found)]

    def _drop(self) -> None:
        item = self._items.popleft()
        del self._oldest_of[item.id]
        for each in item.audience:
            waiting = self._by_audience[each]
            waiting.popleft()
            if not waiting:
                del self._by_audience[each]
        self.floor = max(self.floor, item.xid + 1)
