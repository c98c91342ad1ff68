"""What authenticating one request costs: our bearer class beside django-oauth-toolkit's, in the same run.

    python -m bench.auth [CALLS]

CPU time, not wall time: of this process, and of the database's backend where it runs on this machine (Linux). Makes
a user and a token, and rolls them back.
"""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import Any

import django
from django.conf import settings
from django.db import connection, transaction
from django.test import RequestFactory
from rest_framework.request import Request

ROUNDS = 10


def backend_cpu() -> float:
    """Seconds of CPU that this connection's backend has used; 0 when it cannot be seen from here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone() or (0,)
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost(authenticate: Callable[[Request], Any], token: str, calls: int) -> tuple[float, float]:
    """CPU milliseconds for each call: of the application, of the database."""
    factory = RequestFactory()
    requests = [
        Request(factory.get("/api/v1/me", SERVER_NAME="localhost", headers={"Authorization": f"Bearer {token}"}))
        for _ in range(calls)
    ]
    database, application = backend_cpu(), process_time()
    for request in requests:
        authenticate(request)
    return (process_time() - application) * 1000 / calls, (backend_cpu() - database) * 1000 / calls


def measure(calls: int = 2000) -> dict[str, tuple[float, float]]:
    """The cost of both, in rounds that take turns, so that neither gets the quieter machine."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from oauth2_provider.contrib.rest_framework import OAuth2Authentication

    from api.accounts.authentication import BearerAuthentication
    from api.accounts.models import User
    from api.accounts.services.applications import create_token

    classes = {"ours": BearerAuthentication().authenticate, "stock": OAuth2Authentication().authenticate}
    totals = {name: [0.0, 0.0] for name in classes}
    with transaction.atomic():
        user = User.objects.create_user("bench@example.org", name="Bench")
        token = create_token(user=user, scopes=settings.SCOPES, lasts=timedelta(hours=1))
        for authenticate in classes.values():
            cost(authenticate, token, 50)
        for _ in range(ROUNDS):
            for name, authenticate in classes.items():
                for place, value in enumerate(cost(authenticate, token, calls // ROUNDS)):
                    totals[name][place] += value / ROUNDS
        transaction.set_rollback(True)
    return {name: (application, database) for name, (application, database) in totals.items()}


if __name__ == "__main__":
    found = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
    for name, (application, database) in found.items():
        print(f"{name:6} {application:.3f} ms application, {database:.3f} ms database, a request")
    print(f"stock / ours: {sum(found['stock']) / sum(found['ours']):.1f}")
