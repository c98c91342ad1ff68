"""Rows of any number from the database, in constant memory."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connections, router, transaction

from api.work.models import Assignment

_BATCH = 2000

# Whoever downloads waits for the first row, not for the last: follow the indexes, and never sort everything first.
# Told instead of left to the planner, whose statistics are wrong just after a large import. For the same reason what
# belongs to a row is looked up by subqueries, which cannot become a join in another order.
_BY_INDEX = "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)"
ALIAS = "(SELECT p.alias FROM collectives_pseudonym p WHERE p.collective_id = %s AND p.worker_id = a.worker_id)"


def stream(sql: str, parameters: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of a query through a cursor on the server, as they were when the first was asked for.

    The transaction lasts until the last row is read or the iterator is closed.
    """
    using = router.db_for_read(Assignment)
    with transaction.atomic(using=using), connections[using].chunked_cursor() as cursor:
        with connections[using].cursor() as setting:
            setting.execute(_BY_INDEX)
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(_BATCH):
            yield from rows
