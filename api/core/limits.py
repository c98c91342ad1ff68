"""Rate limits: fixed windows of one minute, counted by each node, and in Redis where nodes share one.

A node counts in a file that all its worker processes map. A counter is 8 bytes: the window's number and the count. Two
processes that count at the same instant may lose one; a limit needs no better. Slots are found by hash, and two callers
that meet in one slot share its count, which with 65,536 slots is rarer than it is harmful.

In Redis the same request is counted for all nodes, and the higher count holds. So when Redis goes, each node goes on
from what it has seen itself: a limit gets wider by the number of nodes at most, and is never gone.
"""

import hashlib
import mmap
import operator
import os
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from api.core import redis

if TYPE_CHECKING:
    from redis import Redis

WINDOW = 60
_SLOTS = 65_536
_CELL = struct.Struct("=II")


@dataclass(frozen=True, slots=True)
class Usage:
    limit: int
    remaining: int
    reset: int
    """Seconds until the window ends."""

    @property
    def exceeded(self) -> bool:
        return self.remaining < 0


@lru_cache(maxsize=1)
def _table(path: Path, pid: int) -> mmap.mmap:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        file.truncate(_SLOTS * _CELL.size)
        return mmap.mmap(file.fileno(), _SLOTS * _CELL.size)


def address_of(request: Any) -> str:
    """The client's address, as the outermost of `settings.PROXIES` trusted proxies saw it."""
    seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < settings.PROXIES <= len(seen):
        return str(seen[-settings.PROXIES]).strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def count(kind: str, identity: str) -> Usage:
    """Count one request of `identity` against the limit named `kind` in `settings.RATE_LIMITS`."""
    return count_all([(kind, identity)])[0]


def count_all(wanted: Sequence[tuple[str, str]]) -> list[Usage]:
    """Count one request against several limits, each a `kind` and an identity, in one round trip to Redis at most."""
    now = int(time.time())
    window = now // WINDOW
    limit = [settings.RATE_LIMITS[kind] for kind, _ in wanted]
    names = [f"{kind}:{identity}" for kind, identity in wanted]
    used = [_count_here(name, window) for name in names]
    if settings.REDIS_URL and all(map(operator.le, used, limit)):
        used = list(map(max, used, redis.ask(lambda client: _count_shared(client, names, window), used)))
    reset = WINDOW - now % WINDOW
    return [Usage(limit=most, remaining=most - count, reset=reset) for most, count in zip(limit, used, strict=True)]


def _count_here(name: str, window: int) -> int:
    table = _table(settings.RATE_LIMIT_FILE, os.getpid())
    offset = _slot(name, settings.SECRET_KEY) * _CELL.size
    seen, used = _CELL.unpack_from(table, offset)
    used = used + 1 if seen == window else 1
    _CELL.pack_into(table, offset, window, used)
    return int(used)


def _count_shared(client: "Redis", names: Sequence[str], window: int) -> list[int]:
    pipeline = client.pipeline(transaction=False)
    for name in names:
        key = f"limit:{window}:{_digest(name, settings.SECRET_KEY)}"
        pipeline.incr(key).expire(key, 2 * WINDOW)
    return [int(count) for count in pipeline.execute()[::2]]


@lru_cache(maxsize=16_384)
def _slot(name: str, secret: str) -> int:
    """Where `name` is counted. Only who knows the installation's secret can find names that meet in one slot."""
    return int(_digest(name, secret)[:8], 16) % _SLOTS


def _digest(name: str, secret: str) -> str:
    """What `name` is counted by: who calls, and from where, is not for Redis to know."""
    return hashlib.blake2b(name.encode(), key=secret.encode()[:64], digest_size=16).hexdigest()
