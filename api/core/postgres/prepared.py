"""Statements that a session parses and plans once. For the few that run on every request, planning is most of the cost.

Sessions must keep their server: a pooler in front of PostgreSQL has to pool by session.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections


@dataclass(frozen=True)
class Statement:
    """One statement with `$1`, `$2`, … for its values, whose types are named in order."""

    name: str
    types: tuple[str, ...]
    sql: str

    def call(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """Run one that calls a function and so always has a row; that row."""
        row = self.fetchone(values)
        if row is None:
            raise RuntimeError(f"{self.name} answered nothing.")
        return row

    def fetchone(self, values: Sequence[Any]) -> tuple[Any, ...] | None:
        """Run it on the primary and return its first row, or None."""
        # Looked up once: every attribute of `django.db.connection` is a look-up of its own.
        here: Any = connections[DEFAULT_DB_ALIAS]
        here.ensure_connection()
        if here.execute_wrappers or here.queries_logged:
            # Somebody looks at what is run: Django's cursor tells them.
            with here.cursor() as cursor:
                return self._run(here.prepared, cursor, values)
        here.validate_no_broken_transaction()
        with here.wrap_database_errors:
            return self._run(here.prepared, here.bare_cursor, values)

    def _run(self, prepared: set[str], cursor: Any, values: Sequence[Any]) -> tuple[Any, ...] | None:
        if self.name not in prepared:
            cursor.execute(f"PREPARE {self.name}({', '.join(self.types)}) AS {self.sql}")
            prepared.add(self.name)
        cursor.execute(self._execute, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row

    @cached_property
    def _execute(self) -> str:
        return f"EXECUTE {self.name}({', '.join(['%s'] * len(self.types))})"
