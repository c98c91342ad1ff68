"""Which database serves a query. With no replica configured everything goes to the primary."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from api.core import replicas

# Whatever a request has chosen: tokens and sessions, money, governance, jobs.
ALWAYS_PRIMARY = frozenset(
    {
        "account",
        "accounts",
        "admin",
        "auth",
        "collectives",
        "core",
        "django_tasks_database",
        "ledger",
        "mfa",
        "oauth2_provider",
        "sessions",
        "usersessions",
    }
)


class ReplicaRouter:
    """Reads where the request has chosen (`ApiViewSet.replica_reads`), writes on the primary."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        alias = replicas.chosen.get()
        if alias == DEFAULT_DB_ALIAS or model._meta.app_label in ALWAYS_PRIMARY:
            return DEFAULT_DB_ALIAS
        # Who has begun a transaction there wants to see what it did.
        return DEFAULT_DB_ALIAS if connections[DEFAULT_DB_ALIAS].in_atomic_block else alias

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS
