"""Which database serves a query. With no replica configured everything goes to the primary."""

from typing import Any


class ReplicaRouter:
    """Reads on replicas, writes on the primary. No replica is configured yet, so both are `default`."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "default"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "default"
