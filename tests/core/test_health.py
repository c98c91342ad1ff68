"""What a node says of itself: that it answers, that it can serve, and what stands in the way."""

import pytest
from django.db import connection

from api.core import health, stopping
from bench.stack import free_port


@pytest.fixture(autouse=True)
def fresh(db, monkeypatch):
    """Nothing is remembered from before; the connection of its own would keep the database from being dropped."""
    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr(health, "REMEMBERED", 0.0)
    yield
    health.probe.close()


def test_it_is_ready(client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "failing": [], "degraded": []})
    assert answer["Cache-Control"] == "no-store"


def test_a_migration_that_waits_is_named(client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'core'")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["migrations"])
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations SELECT * FROM seed.django_migrations WHERE app = 'core'")
    assert client.get("/readyz").status_code == 200


def test_a_process_that_stops_is_not_ready(client, monkeypatch) -> None:
    monkeypatch.setattr(stopping, "now", True)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["draining"])
    assert client.get("/healthz").status_code == 200


def test_redis_is_missed_but_not_needed(client, settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert client.get("/readyz").json() == {"ok": True, "failing": [], "degraded": ["redis"]}


def test_a_connection_that_was_cut_is_replaced(client) -> None:
    assert client.get("/readyz").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(%s))",
            [health.probe._connection.info.backend_pid],
        )
    assert client.get("/readyz").status_code == 200


def test_a_database_that_is_gone_is_named(client, monkeypatch) -> None:
    monkeypatch.setattr(health, "_parameters", lambda: {"host": "127.0.0.1", "port": free_port()})
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["database"])
