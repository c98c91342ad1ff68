"""Health for whoever watches: `/healthz` (this process answers) and `/readyz` (it can serve)."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from api.core.http import answer


def healthz(request: HttpRequest) -> HttpResponse:
    return answer({"ok": True})


def readyz(request: HttpRequest) -> HttpResponse:
    failing = []
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            failing.append("migrations")
    except DatabaseError:
        failing.append("database")
    return answer({"ok": not failing, "failing": failing}, status=503 if failing else 200)
