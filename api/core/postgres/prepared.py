"""Statements that a session parses and plans once. For the few that run on every request, planning is most of the cost.

Sessions must keep their server: a pooler in front of PostgreSQL has to pool by session.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with `$1`, `$2`, … for its values, whose types are named in order."""

    name: str
    types: tuple[str, ...]
    sql: str

    def fetchone(self, values: Sequence[Any]) -> tuple[Any, ...] | None:
        """Run it on the primary and return its first row, or None."""
        connection.ensure_connection()
        with connection.cursor() as cursor:
            if self.name not in connection.prepared:  # type: ignore[attr-defined]
                cursor.execute(f"PREPARE {self.name}({', '.join(self.types)}) AS {self.sql}")
                connection.prepared.add(self.name)  # type: ignore[attr-defined]
            cursor.execute(f"EXECUTE {self.name}({', '.join(['%s'] * len(self.types))})", values)
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row
