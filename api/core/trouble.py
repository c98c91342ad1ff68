"""Databases that fail for a moment: restarted, failing over, full. What may be done again, and when."""

import time
from collections.abc import Iterator
from itertools import chain, repeat

from django.db import DatabaseError, InterfaceError, OperationalError, connections

PATIENCE = 4.0
"""Seconds for which a call that may be repeated waits for the database to come back."""
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
# As PostgreSQL numbers them: what the next try may not meet.
_READ_ONLY = "25006"
_PASSING = frozenset(
    {
        _READ_ONLY,  # a standby by now, or not promoted yet
        "40001",  # serialization, or a replica that had to replay
        "40P01",  # deadlock
        "53300",  # too many connections
        "57P01",  # shut down by its operator
        "57P02",  # crashed
        "57P03",  # starting up
    }
)


def is_passing(error: BaseException) -> bool:
    """Whether the database could not answer at this moment, whatever it was asked."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return False
    code = _code(error)
    if code is None:
        # Nothing was said: no connection came about, or it was lost.
        return isinstance(error, OperationalError | InterfaceError)
    return code in _PASSING or code.startswith("08")


def is_read_only(error: BaseException) -> bool:
    return _code(error) == _READ_ONLY


def is_undone(error: BaseException) -> bool:
    """Whether it is certain that nothing was done. Not so when the connection was lost: perhaps during the commit."""
    return _code(error) is not None or getattr(error.__cause__, "while_connecting", False)


def let_go() -> None:
    """Close this thread's connection to the primary, so that the next question finds the one there is then.

    One that a standby refused to write over stands as before, so that nothing else would close it.
    """
    connection = connections["default"]
    if not connection.in_atomic_block:
        connection.close()


def tries(patience: float) -> Iterator[None]:
    """A step for each further try: one at once, then with growing pauses until `patience` seconds are over."""
    deadline = time.monotonic() + patience
    yield
    for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
        if time.monotonic() + pause > deadline:
            return
        time.sleep(pause)
        yield


def _code(error: BaseException) -> str | None:
    code: str | None = getattr(error.__cause__, "pgcode", None)
    return code
