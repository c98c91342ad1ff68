"""Rate limits: fixed windows of one minute, counted in a file that all worker processes of a node map.

A counter is 8 bytes: the window's number and the count. Two processes that count at the same instant may lose one;
a limit needs no better. Slots are found by hash, and two callers that meet in one slot share its count, which with
65,536 slots is rarer than it is harmful.
"""

import hashlib
import mmap
import os
import struct
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

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
    limit = settings.RATE_LIMITS[kind]
    now = int(time.time())
    window = now // WINDOW
    table = _table(settings.RATE_LIMIT_FILE, os.getpid())
    offset = _slot(f"{kind}:{identity}", settings.SECRET_KEY) * _CELL.size
    seen, used = _CELL.unpack_from(table, offset)
    used = used + 1 if seen == window else 1
    _CELL.pack_into(table, offset, window, used)
    return Usage(limit=limit, remaining=limit - used, reset=WINDOW - now % WINDOW)


@lru_cache(maxsize=16_384)
def _slot(name: str, secret: str) -> int:
    """Where `name` is counted. Only who knows the installation's secret can find names that meet in one slot."""
    key = secret.encode()[:64]
    return int.from_bytes(hashlib.blake2b(name.encode(), key=key, digest_size=4).digest()) % _SLOTS
