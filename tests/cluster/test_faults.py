"""What breaks in the night, done on purpose under load: afterwards nothing acknowledged is missing.

Each test lets a market work through nginx, does one fault to the whole topology, and holds the database against what
callers were told. Times to recover are printed and kept with the test's results; none is asserted.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
import requests

from config.cluster import Cluster
from config.cluster.postgres import APPLICATION
from tests.cluster.load import Caller, Market

pytestmark = pytest.mark.processes


@pytest.fixture
def market(cluster: Cluster) -> Iterator[Market]:
    market = Market(cluster.url, cluster.seed, cluster.connect)
    yield market
    market.close()


@pytest.fixture
def drill(cluster: Cluster, market: Market, record_property: Callable[[str, object], None]) -> Callable[[str], object]:
    """`with drill("name"):` works meanwhile, measures the longest silence, and checks everything afterwards."""

    @contextmanager
    def run(name: str, *, cut: int = 0) -> Iterator[None]:
        with market.working():
            since = time.monotonic()
            yield
        gap = market.journal.longest_gap(since)
        record_property(f"{name}_gap_s", round(gap, 2))
        told = dict(market.journal.refusals)
        print(f"{name}: {len(market.journal.acks)} writes acknowledged, longest silence {gap:.2f} s, refused {told}")
        market.check(cut=cut)
        cluster.manage("audit_ledger")

    return run


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)


def test_a_web_node_is_killed(cluster: Cluster, drill: Any, market: Market) -> None:
    # What the node had begun to answer is cut off: as many answers as callers, at most.
    with drill("web_killed", cut=len(market.people) + 1):
        cluster.web[0].kill()
        time.sleep(1)
        cluster.web[0].start()


def test_a_web_node_hangs(cluster: Cluster, drill: Any) -> None:
    with drill("web_hung"):
        cluster.web[1].pause()
        time.sleep(6)
        cluster.web[1].resume()


def test_all_web_nodes_are_restarted_in_turn(cluster: Cluster, drill: Any, market: Market) -> None:
    with drill("rolling_restart"):
        for node in cluster.web:
            node.restart(graceful=True)
    assert not market.journal.refusals, "a client was told to come back"


def test_a_gateway_is_killed(cluster: Cluster, drill: Any, market: Market) -> None:
    connections = sum(listener.connections for listener in market.listeners)
    with drill("gateway_killed"):
        cluster.gateways[0].kill()
        time.sleep(1)
        cluster.gateways[0].start()
        cluster.gateways[1].kill()
        time.sleep(1)
        cluster.gateways[1].start()
    assert sum(listener.connections for listener in market.listeners) > connections, "nobody had to connect again"


def test_redis_is_killed(cluster: Cluster, drill: Any) -> None:
    with drill("redis_killed"):
        cluster.redis.kill()
        time.sleep(5)
        cluster.redis.start()


def test_reads_are_on_replicas(cluster: Cluster, drill: Any, market: Market) -> None:
    """Lists are read from every standby, while callers who send a position never see less than they wrote."""
    reader = Caller(cluster.url, market.requester["token"], market.journal)

    def scans() -> list[int]:
        # Whoever has no position to send may be given whatever is not too old.
        reader.seen = ""
        reader.must("GET", f"/projects/{market.project}/assignments?limit=5")
        sql = "SELECT sum(seq_scan + idx_scan) FROM pg_stat_user_tables WHERE relname = 'work_assignment'"
        return [int(node.ask(sql, name=APPLICATION)) for node in cluster.pg.standbys()]

    before = scans()
    with drill("nothing_broken"):
        wait_for(lambda: all(now > then for now, then in zip(scans(), before, strict=True)), 40, "both are read from")


def test_a_replica_hangs_and_lags(cluster: Cluster, drill: Any) -> None:
    """The asynchronous standby stands still for thirty seconds; nobody reads from it what is older than their own."""
    standby = cluster.pg.standbys()[-1]
    with drill("replica_lags"):
        standby.pause()
        time.sleep(30)
        standby.resume()


def test_the_primary_is_killed(cluster: Cluster, drill: Any) -> None:
    old = cluster.pg.primary()
    with drill("primary_killed"):
        old.kill()
    assert cluster.pg.primary() is not old
    cluster.rejoin(old)


def test_the_primary_hangs(cluster: Cluster, drill: Any) -> None:
    """A primary that stands still is fenced: it never comes back to answer as one."""
    old = cluster.pg.primary()
    with drill("primary_hung"):
        old.pause()
    assert cluster.pg.primary() is not old
    assert old.pid is None, "the old primary was not fenced"
    cluster.rejoin(old)


def test_the_leader_of_the_coordinators_is_killed(cluster: Cluster, drill: Any) -> None:
    leader = cluster.pools.leader()
    with drill("pgpool_leader_killed"):
        leader.kill()
    leader.start()
    wait_for(lambda: leader.is_up(), 30, "the coordinator is back")


def test_there_are_no_connections_left(cluster: Cluster, drill: Any) -> None:
    """Somebody else takes every connection of the primary for some seconds."""
    with drill("connections_full"):
        taken = []
        try:
            for _ in range(1000):
                try:
                    taken.append(cluster.connect())
                except psycopg2.OperationalError:
                    break
            assert taken
            # Whoever has a connection goes on; a node that starts anew finds none.
            cluster.web[2].kill()
            cluster.web[2].start(wait=False)
            time.sleep(4)
        finally:
            for connection in taken:
                connection.close()
        cluster.web[2].wait()


def test_jobs_are_killed_in_the_middle_of_a_sweep(cluster: Cluster, market: Market) -> None:
    """A sweep over many expired claims, killed in its middle, leaves each of them whole; the next one does the rest."""
    people = cluster.seed(*(f"Sweeper {number}" for number in range(30)))
    claims = []
    for person in people:
        for _ in range(10):
            headers = {"Authorization": f"Bearer {person['token']}", "Idempotency-Key": uuid4().hex}
            answer = requests.post(f"{cluster.url}/api/v1/projects/{market.project}/claim", headers=headers, timeout=30)
            assert answer.status_code == 201, answer.text
            claims.append(answer.json()["id"])
    for jobs in cluster.jobs:
        jobs.kill()
    with cluster.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE work_assignment SET expires_at = now() - interval '1 hour' WHERE id = ANY(%s::uuid[])", [claims]
        )

    def expired() -> int:
        with cluster.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM work_assignment WHERE id = ANY(%s::uuid[]) AND state = 'expired'", [claims]
            )
            return int(cursor.fetchone()[0])

    for _ in range(3):
        cluster.jobs[0].start(wait=False)
        started = expired()
        deadline = time.monotonic() + 15
        while expired() == started and started < len(claims) and time.monotonic() < deadline:
            time.sleep(0.01)
        cluster.jobs[0].kill()
    for jobs in cluster.jobs:
        jobs.start()
    wait_for(lambda: expired() == len(claims), 30, "every claim expired")
    with cluster.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT assignment_id, count(*) FROM work_move WHERE assignment_id = ANY(%s::uuid[]) AND \"to\" = 'expired'"
            " GROUP BY 1 HAVING count(*) <> 1",
            [claims],
        )
        assert cursor.fetchall() == [], "a claim expired twice"
        cursor.execute(
            "SELECT count(*) FROM realtime_event WHERE type = 'assignment.expired' AND subject_id = ANY(%s::uuid[])",
            [claims],
        )
        assert cursor.fetchone() == (len(claims),), "one event for each"
    cluster.manage("audit_ledger")


def test_the_same_call_arrives_at_two_nodes_at_once(cluster: Cluster, market: Market) -> None:
    person = market.people[0]
    for _ in range(20):
        headers = {"Authorization": f"Bearer {person['token']}", "Idempotency-Key": uuid4().hex}
        answers: list[requests.Response] = []
        barrier = threading.Barrier(len(cluster.web))

        def call(
            address: str,
            headers: dict[str, str] = headers,
            answers: list[requests.Response] = answers,
            barrier: threading.Barrier = barrier,
        ) -> None:
            barrier.wait()
            path = f"{address}/api/v1/projects/{market.project}/claim"
            answers.append(requests.post(path, headers=headers, timeout=30))

        threads = [threading.Thread(target=call, args=(node.url,)) for node in cluster.web]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [answer.status_code for answer in answers] == [201] * len(cluster.web)
        assert len({answer.content for answer in answers}) == 1, "one key, several answers"
        assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == len(cluster.web) - 1
        requests.post(
            f"{cluster.url}/api/v1/assignments/{answers[0].json()['id']}/return",
            headers={**headers, "Idempotency-Key": uuid4().hex},
            timeout=30,
        ).raise_for_status()
    with cluster.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM work_assignment WHERE project_id = %s AND worker_id = %s",
            [market.project, person["id"]],
        )
        assert cursor.fetchone() == (20,)
