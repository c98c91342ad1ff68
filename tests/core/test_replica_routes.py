"""Every GET route of the API: whether a replica may serve it, and that it changes nothing."""

import re
from itertools import chain

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from tests.replica import replica, standby
from tests.test_permissions import EXPECTED, ROUTES, build_market

__all__ = ["replica", "standby"]

# One line for each route.
DECIDED = """
primary  /time
primary  /openapi.yaml
primary  /me
primary  /me/export
primary  /me/sessions
primary  /me/applications
primary  /applications
primary  /applications/{application_id}
primary  /collectives
primary  /collectives/{collective_id}
primary  /collectives/{collective_id}/members
replica  /notifications
replica  /notifications/unread
primary  /threads
primary  /threads/unread
primary  /threads/{thread_id}
primary  /threads/{thread_id}/messages
primary  /messages/search
primary  /messages/settings
primary  /projects/{project_id}/announcements
primary  /purses
primary  /purses/{purse_id}
primary  /purses/{purse_id}/statement
primary  /purses/{purse_id}/deposits
primary  /purses/{purse_id}/payouts
primary  /providers
replica  /projects
replica  /projects/{project_id}
replica  /projects/{project_id}/versions
primary  /projects/{project_id}/quote
replica  /projects/{project_id}/progress
replica  /projects/{project_id}/batches
replica  /projects/{project_id}/tasks
replica  /batches/{batch_id}
replica  /batches/{batch_id}/problems
replica  /tasks/{task_id}
replica  /versions/{version_id}
replica  /feed
replica  /feed/{project_id}
replica  /work/summary
replica  /assignments
replica  /assignments/{assignment_id}
replica  /projects/{project_id}/assignments
replica  /reviews/assignments/{assignment_id}
replica  /projects/{project_id}/results
replica  /projects/{project_id}/results/summary
replica  /projects/{project_id}/results/workers
"""
WHERE = {f"GET {path}": where for where, path in map(str.split, DECIDED.strip().splitlines())}
GETS = {name: route for name, route in ROUTES.items() if name.startswith("GET ")}
# What is read on the primary in any case, and what asks how far a database has come.
_OURS = re.compile(r'\b(?:FROM|JOIN)\s+"?(?:projects|work|reviews|results|realtime)_\w+', re.IGNORECASE)
_POSITION = re.compile(r"_lsn\(\)")


def test_every_get_route_has_been_decided_about() -> None:
    assert set(GETS) - set(WHERE) == set(), "say in DECIDED whether a replica may serve it, and in its view"


def test_the_views_say_the_same() -> None:
    found = {name: "replica" if route.action in route.view.replica_reads else "primary" for name, route in GETS.items()}
    assert found == {name: WHERE[name] for name in GETS}


def test_what_a_replica_may_serve_is_an_action_of_a_safe_method() -> None:
    """A name that means nothing would look like a decision."""
    reads = {(route.view, route.action) for route in GETS.values()}
    named = {(route.view, action) for route in ROUTES.values() for action in route.view.replica_reads}
    assert named <= reads


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_every_get_route_is_answered_where_it_should_be_and_changes_nothing(replica) -> None:
    """Both databases are read-only meanwhile; a route of the replica reads nothing of its own from the primary."""
    market = build_market()
    clients = {name: market.client(name, None) for name in ("owner", "worker")}
    replica.catch_up()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    wrong = {}
    try:
        for name in GETS:
            caller = "worker" if EXPECTED[name]["owner"] == 404 else "owner"
            with CaptureQueriesContext(connection) as here, CaptureQueriesContext(connections[replica.alias]) as there:
                response = clients[caller].get(market.address(name))
                if response.streaming:
                    b"".join(response.streaming_content)
            asked_there = [each["sql"] for each in there if not _POSITION.search(each["sql"])]
            ours_here = [each["sql"] for each in here if _OURS.search(each["sql"])]
            served_by = {"replica": bool(asked_there) and not ours_here, "primary": not asked_there}
            if response.status_code != EXPECTED[name][caller] or not served_by[WHERE[name]]:
                wrong[name] = (response.status_code, ours_here, asked_there)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
    assert wrong == {}


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("query", ["format=csv", "format=jsonl", "format=csv&aggregate=majority"])
def test_a_download_is_read_from_the_replica_to_its_end(replica, query) -> None:
    market = build_market()
    client = market.client("owner", None)
    path = f"{market.address('GET /projects/{project_id}/results')}?{query}"
    whole = b"".join(client.get(path).streaming_content)
    replica.catch_up()
    # What is not on the replica tells where it comes from: the name of a task is changed on the primary alone.
    with replica.paused():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("UPDATE projects_task SET key = 'only on the primary ' || position")
        with CaptureQueriesContext(connection) as here:
            response = client.get(path)
            assert response.status_code == 200
            read = b"".join(chain(response.streaming_content))
    assert read == whole
    assert [each["sql"] for each in here if _OURS.search(each["sql"])] == []
