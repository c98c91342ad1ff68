"""Which replica a safe request reads, if any.

**Position.** How far a database has come: a place in PostgreSQL's log, of which a replica replays every byte. The
answer to every unsafe call and every pushed event carries the primary's (`position`), the client sends the highest it
knows back, and a replica that has not come so far is passed over. To clients it is an opaque text; of two the greater
one, compared as text, is the later.

**Lag.** A request may also come without a position, so a replica must in any case have all that was committed
`REPLICA_MAX_LAG` seconds ago. A thread of each process notes the primary's position once a second; a replica that has
replayed what the primary had written at an instant has everything of that instant, whatever either clock says. So an
idle primary is no lag, and a replica that lost its primary is one.

**Trouble.** The same thread asks every replica whether it is up, and hangs up on one that says nothing, so that
requests which wait for it are answered by the primary. A replica that failed is left out for a while that doubles; no
request ever waits to find out whether it is back.

What is known of a replica is kept with each connection: an address may lead to several servers.
"""

import itertools
import logging
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg2
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections

from api.core.postgres.base import cut
from api.core.postgres.bounded import BoundedSession

HEADER = "X-Read-After"
TIMEOUT = 1.0
"""Seconds after which a server that says nothing counts as hung."""
LOOK_EVERY = 1.0
LONGEST_PAUSE = 30.0
# What no primary writes between two looks: a position further ahead was made up, or is of other data.
_AHEAD = 64 * 2**30
_TOKEN = re.compile(r"[0-9a-f]{16}\Z")
_NOW = "SELECT pg_current_wal_flush_lsn()"
_REPLAYED = "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()"
_log = logging.getLogger("guildhall.replicas")

chosen: ContextVar[str] = ContextVar("chosen", default=DEFAULT_DB_ALIAS)
"""The database that the present request reads."""


def position() -> str:
    """The primary's present position, which is past everything committed so far; empty without replicas.

    One short query, outside of transactions. Raises DatabaseError.
    """
    if not settings.REPLICAS:
        return ""
    here: Any = connections[DEFAULT_DB_ALIAS]
    here.ensure_connection()
    with here.wrap_database_errors:
        here.bare_cursor.execute(_NOW)
        return _token(_number(here.bare_cursor.fetchone()[0]))


def choose(token: str) -> str:
    """The database for a safe request that carries `token`: a replica in turn, or `default`.

    A token that cannot be one of ours is as good as none.
    """
    if not settings.REPLICAS:
        return DEFAULT_DB_ALIAS
    known = watch.of_this_process()
    wanted = int(token, 16) if _TOKEN.match(token) else 0
    if wanted > known.newest + _AHEAD:
        wanted = 0
    for alias in known.in_turn():
        if _has(alias, wanted, known):
            return alias
    return DEFAULT_DB_ALIAS


@contextmanager
def reading(alias: str) -> Iterator[None]:
    """Reads inside go to `alias`, unless the router knows better."""
    before = chosen.set(alias)
    try:
        yield
    finally:
        chosen.reset(before)


def held(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a streamed answer, each made while reading what is chosen now. The first is made at once."""
    alias = chosen.get()
    source = iter(pieces)
    first = list(itertools.islice(source, 1))

    def rest() -> Iterator[bytes]:
        yield from first
        while True:
            with reading(alias):
                piece = next(source, None)
            if piece is None:
                return
            yield piece

    return rest()


def leave_out(alias: str, error: BaseException) -> None:
    """Something went wrong while reading a replica: drop the connection and leave it out for a while."""
    connections[alias].close()
    watch.of_this_process().failed(alias, error)


def _has(alias: str, wanted: int, known: "Watch") -> bool:
    """Whether this thread's connection to a replica shows `wanted` and what is older than the greatest lag."""
    here: Any = connections[alias]
    try:
        here.close_if_health_check_failed()
        here.ensure_connection()
        if here.replayed >= wanted and time.monotonic() - here.as_of <= settings.REPLICA_MAX_LAG:
            return True
        with here.wrap_database_errors:
            here.bare_cursor.execute(_REPLAYED)
            is_replica, replayed = here.bare_cursor.fetchone()
        if not is_replica:
            raise DatabaseError("it is no replica (any more)")
    except (DatabaseError, InterfaceError) as error:
        leave_out(alias, error)
        return False
    here.replayed = _number(replayed)
    here.as_of = known.as_of(here.replayed)
    return bool(here.replayed >= wanted and time.monotonic() - here.as_of <= settings.REPLICA_MAX_LAG)


def _number(place: str | None) -> int:
    """A place in the log as a number. None is a server that has replayed nothing yet."""
    high, _, low = (place or "0/0").partition("/")
    return int(high, 16) << 32 | int(low, 16)


def _token(number: int) -> str:
    return f"{number:016x}"


class Replica:
    """What this process knows of one replica."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.is_up = False
        self.as_of: float | None = None
        self.pause = 0.0
        self.asked_again_at = 0.0
        self.failed_at = float("-inf")
        self.session = BoundedSession(alias, TIMEOUT)

    def failed(self, now: float) -> None:
        recently = now - self.failed_at < 2 * LONGEST_PAUSE
        self.pause = min(LONGEST_PAUSE, self.pause * 2) if recently and self.pause else LOOK_EVERY
        self.failed_at, self.asked_again_at, self.is_up = now, now + self.pause, False


class Watch:
    """Looks at the primary and its replicas once in `LOOK_EVERY` seconds, in a thread of its own."""

    def __init__(self, aliases: Iterable[str]) -> None:
        self.replicas = {alias: Replica(alias) for alias in aliases}
        self.process = os.getpid()
        self._aliases = list(self.replicas)
        self._turn = itertools.count()
        # Oldest first, each a time and the primary's position of then or later.
        self._seen: tuple[tuple[float, int], ...] = ()
        self._primary = BoundedSession(DEFAULT_DB_ALIAS, TIMEOUT)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replicas", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self.process == os.getpid() and self._thread.is_alive():
            self._thread.join(timeout=5)

    @property
    def newest(self) -> int:
        return self._seen[-1][1] if self._seen else 0

    def in_turn(self) -> list[str]:
        """The replicas that are up, beginning with another one each time."""
        start = next(self._turn) % len(self._aliases)
        return [alias for alias in self._aliases[start:] + self._aliases[:start] if self.replicas[alias].is_up]

    def as_of(self, replayed: int) -> float:
        """The latest instant known of which a server that has replayed so far has everything."""
        return next((at for at, place in reversed(self._seen) if place <= replayed), float("-inf"))

    def failed(self, alias: str, error: BaseException) -> None:
        replica = self.replicas[alias]
        with self._lock:
            if replica.is_up:
                _log.warning("replica left out: %s", error, extra={"replica": alias})
            replica.failed(time.monotonic())

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                started = time.monotonic()
                try:
                    self._look()
                except Exception:  # noqa: BLE001  (without this thread no replica would be read any more)
                    _log.exception("looking at replicas failed")
                self._stopped.wait(max(0.0, started + LOOK_EVERY - time.monotonic()))
        finally:
            for session in (self._primary, *(each.session for each in self.replicas.values())):
                session.close()

    def _look(self) -> None:
        self._look_at_primary()
        for replica in self.replicas.values():
            if not self._stopped.is_set() and time.monotonic() >= replica.asked_again_at:
                self._look_at(replica)

    def _look_at_primary(self) -> None:
        at = time.monotonic()
        try:
            place = _number(self._primary.ask(_NOW)[0])
        except (psycopg2.Error, TimeoutError):
            return
        # A new primary may be behind the one that was lost, by what was never acknowledged.
        before = self._seen if place >= self.newest else ()
        kept = at - 2 * settings.REPLICA_MAX_LAG - 2 * LOOK_EVERY
        self._seen = (*(each for each in before if each[0] >= kept), (at, place))

    def _look_at(self, replica: Replica) -> None:
        try:
            is_replica, replayed = replica.session.ask(_REPLAYED)
            if not is_replica:
                # Asked again over a new connection: the address may lead elsewhere by then.
                replica.session.close()
                raise ConnectionError("it is no replica (any more)")
            if self._is_astray(_number(replayed)):
                raise ConnectionError("it is ahead of the primary: it follows one that was lost")
        except TimeoutError as error:
            self.failed(replica.alias, error)
            cut(replica.alias)
        except (psycopg2.Error, OSError) as error:
            self.failed(replica.alias, error)
        else:
            replica.as_of = self.as_of(_number(replayed))
            with self._lock:
                # A request may have found meanwhile that it fails.
                if time.monotonic() >= replica.asked_again_at:
                    replica.is_up = True

    def _is_astray(self, replayed: int) -> bool:
        """Whether a replica has what its primary does not have. Asked afterwards, a primary is never behind."""
        if replayed > self.newest:
            self._look_at_primary()
        return replayed > self.newest


class _Watches:
    """The watch of this process: a server forks after its modules are loaded, and threads stay behind."""

    def __init__(self) -> None:
        self._present: Watch | None = None
        self._lock = threading.Lock()

    def of_this_process(self) -> Watch:
        present = self._present
        if present is not None and present.process == os.getpid():
            return present
        with self._lock:
            if self._present is None or self._present.process != os.getpid():
                self._present = Watch(settings.REPLICAS)
                self._present.start()
            return self._present

    def known(self) -> dict[str, bool]:
        """Which replicas this process looks at, and whether each is up; none before it has read one."""
        present = self._present
        if present is None or present.process != os.getpid():
            return {}
        return {alias: replica.is_up for alias, replica in present.replicas.items()}

    def stop(self) -> None:
        with self._lock:
            present, self._present = self._present, None
        if present is not None:
            present.stop()


watch = _Watches()
