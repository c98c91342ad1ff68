"""Safe requests on a real replica: what they may read there, and who answers when it cannot."""

import threading
import time
from contextlib import contextmanager
from itertools import pairwise

import psycopg2
import pytest
from django.db import DatabaseError, connection, connections
from django.test.utils import CaptureQueriesContext

from api.core import replicas
from tests import factories
from tests.replica import Standby, replica, replica_pair, second_standby, standby, wait_until, wait_until_up

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
__all__ = ["replica", "replica_pair", "second_standby", "standby"]
PROJECTS = "/api/v1/projects"
MAX_LAG = 1


@contextmanager
def reads_of(standby: Standby):
    """How many statements about projects this thread asked the replica meanwhile."""
    seen: list[int] = []
    with CaptureQueriesContext(connections[standby.alias]) as captured:
        yield seen
    seen.extend(1 for each in captured if "projects_project" in each["sql"])


def titles(client, **headers: str) -> set[str]:
    response = client.get(PROJECTS, headers={"X-Read-After": headers.get("after", "")})
    assert response.status_code == 200
    return {each["title"] for each in response.json()}


def test_a_safe_request_reads_the_replica_and_an_unsafe_one_writes_the_primary(replica, api, make_user) -> None:
    client = api(make_user())
    with reads_of(replica) as read:
        done = client.post(PROJECTS, {"title": "Ducks"})
    assert (done.status_code, read) == (201, [])
    replica.catch_up()
    with reads_of(replica) as read:
        assert titles(client, after=done["X-Read-After"]) == {"Ducks"}
    assert read


def test_what_one_has_written_oneself_is_read_back(replica, api, make_user) -> None:
    client = api(make_user())
    replica.catch_up()
    with replica.paused():
        after = client.post(PROJECTS, {"title": "Ducks"})["X-Read-After"]
        assert titles(client, after=after) == {"Ducks"}
        # Without its token this same request shows that the replica does not have it.
        assert titles(client) == set()


def test_a_replica_serves_as_soon_as_it_has_come_so_far(replica, api, make_user) -> None:
    client = api(make_user())
    with replica.delayed(400):
        after = client.post(PROJECTS, {"title": "Ducks"})["X-Read-After"]
        with reads_of(replica) as early:
            assert titles(client, after=after) == {"Ducks"}
        wait_until(lambda: replica.ask("SELECT count(*) FROM projects_project") == 1)
        with reads_of(replica) as late:
            assert titles(client, after=after) == {"Ducks"}
    assert not early
    assert late


def test_who_is_told_of_it_by_an_event_reads_it(replica, api, make_user) -> None:
    """The position that an event carries is taken when the event can be read, so it is past what it tells of."""
    owner = make_user()
    reader = api(owner)
    replica.catch_up()
    with replica.paused():
        api(owner).post(PROJECTS, {"title": "Ducks"})
        assert titles(reader) == set()
        assert titles(reader, after=replicas.position()) == {"Ducks"}


def test_a_replica_that_lags_is_not_used(replica, api, make_user, settings) -> None:
    settings.REPLICA_MAX_LAG = MAX_LAG
    client = api(make_user())
    with replica.paused():
        client.post(PROJECTS, {"title": "Ducks"})
        # Nothing tells the reader that there is something new; the time does.
        wait_until(lambda: titles(client) == {"Ducks"}, seconds=MAX_LAG + 5)
        with reads_of(replica) as read:
            titles(client)
        assert not read
    wait_until(lambda: is_read(replica, client))


def is_read(replica: Standby, client) -> bool:
    with reads_of(replica) as read:
        titles(client)
    return bool(read)


def test_a_primary_where_nothing_happens_is_no_lag(replica, api, make_user, settings) -> None:
    settings.REPLICA_MAX_LAG = MAX_LAG
    client = api(make_user())
    replica.catch_up()
    until = time.monotonic() + 2 * MAX_LAG
    wait_until(lambda: time.monotonic() > until)
    assert is_read(replica, client)


@pytest.mark.parametrize(
    "token", ["x", "0" * 15, "f" * 16, "0" * 17, "7" * 100_000, "0/1234", "-000000000000001", "٣" * 16]
)
def test_a_token_that_is_none_of_ours_is_ignored(replica, api, make_user, token) -> None:
    client = api(make_user())
    replica.catch_up()
    with reads_of(replica) as read:
        response = client.get(PROJECTS, headers={"X-Read-After": token.encode().decode("latin-1")})
    assert response.status_code == 200
    assert read


def test_a_position_somewhat_ahead_is_answered_by_the_primary(replica, api, make_user) -> None:
    """As after a failover, in which the old primary had written what nobody acknowledged."""
    client = api(make_user())
    ahead = f"{int(replicas.position(), 16) + 2**20:016x}"
    with reads_of(replica) as read:
        assert titles(client, after=ahead) == set()
    assert not read


def test_positions_rise_and_compare_as_text(replica, api, make_user) -> None:
    client = api(make_user())
    told = [client.post(PROJECTS, {"title": str(number)})["X-Read-After"] for number in range(3)]
    assert told == sorted(told)
    assert len(set(told)) == 3
    assert {len(each) for each in told} == {16}


def test_an_answer_given_again_has_a_position_too(replica, api, make_user) -> None:
    client, key = api(make_user()), {"Idempotency-Key": "the-same-key"}
    first = client.post(PROJECTS, {"title": "Ducks"}, headers=key)
    again = client.post(PROJECTS, {"title": "Ducks"}, headers=key)
    assert again["Idempotency-Replayed"] == "true"
    assert again["X-Read-After"] >= first["X-Read-After"]


def test_without_replicas_nothing_is_told_and_nothing_asked(api, make_user) -> None:
    client = api(make_user())
    with CaptureQueriesContext(connection) as bare:
        response = client.get(PROJECTS)
    assert response.status_code == 200
    assert not [each for each in bare if "_lsn" in each["sql"]]
    with CaptureQueriesContext(connection) as seen:
        response = client.post(PROJECTS, {"title": "Ducks"})
    assert "X-Read-After" not in response
    assert not [each for each in seen if "_lsn" in each["sql"]]
    assert replicas.position() == ""


def test_replicas_take_turns(replica_pair, api, make_user) -> None:
    client = api(make_user())
    for each in replica_pair:
        each.catch_up()
    order = []
    for _ in range(6):
        with reads_of(replica_pair[0]) as first, reads_of(replica_pair[1]) as second:
            titles(client)
        order.append((bool(first), bool(second)))
    assert set(order) == {(True, False), (False, True)}
    assert all(one != other for one, other in pairwise(order))


def test_one_of_two_that_is_behind_is_passed_over(replica_pair, api, make_user) -> None:
    behind, ahead = replica_pair
    client = api(make_user())
    with behind.paused():
        after = client.post(PROJECTS, {"title": "Ducks"})["X-Read-After"]
        ahead.catch_up()
        for _ in range(4):
            with reads_of(behind) as not_here, reads_of(ahead) as here:
                assert titles(client, after=after) == {"Ducks"}
            assert here
            assert not not_here


def test_a_replica_that_is_gone_costs_one_failure(replica, api, make_user, caplog) -> None:
    client = api(make_user())
    client.post(PROJECTS, {"title": "Ducks"})
    replica.catch_up()
    assert is_read(replica, client)
    known = replicas.watch.of_this_process().replicas[replica.alias]
    with replica.stopped():
        for _ in range(5):
            assert titles(client) == {"Ducks"}
        assert not known.is_up
        failed_at = known.failed_at
        # No request looks whether it is back.
        for _ in range(5):
            assert titles(client) == {"Ducks"}
        assert connections[replica.alias].connection is None
        assert known.failed_at == failed_at or known.pause > 1
    wait_until_up(replica)
    assert is_read(replica, client)


def test_the_pause_before_a_dead_replica_is_asked_again_doubles(replica) -> None:
    known = replicas.watch.of_this_process()
    state = known.replicas[replica.alias]
    pauses = []
    for _ in range(7):
        known.failed(replica.alias, DatabaseError("gone"))
        pauses.append(state.pause)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert known.in_turn() == []


def test_a_replica_that_dies_while_it_is_read_does_not_fail_the_request(replica, api, make_user, monkeypatch) -> None:
    from api.projects import selectors

    client = api(make_user())
    client.post(PROJECTS, {"title": "Ducks"})
    replica.catch_up()
    original, asked = selectors.listed_projects, []

    def killed(user, **wanted):
        asked.append(replicas.chosen.get())
        if asked == [replica.alias]:
            session = connections[replica.alias]
            session.ensure_connection()
            number = session.connection.get_backend_pid()
            assert replica.ask(f"SELECT pg_terminate_backend({number}, 5000)")
        return original(user, **wanted)

    monkeypatch.setattr(selectors, "listed_projects", killed)
    assert titles(client) == {"Ducks"}
    assert asked == [replica.alias, "default"]
    assert replicas.chosen.get() == "default"


def test_a_replica_that_hangs_is_hung_up_on(replica, api, make_user) -> None:
    client = api(make_user())
    client.post(PROJECTS, {"title": "Ducks"})
    replica.catch_up()
    assert is_read(replica, client)
    with replica.hanging():
        # Its connection stands, and what is known of it is fresh: the request asks it, and waits.
        assert titles(client) == {"Ducks"}
        assert not replicas.watch.of_this_process().replicas[replica.alias].is_up
        started = time.monotonic()
        assert titles(client) == {"Ducks"}
        assert time.monotonic() - started < replicas.TIMEOUT
    wait_until_up(replica)


def test_a_replica_that_was_promoted_is_none_any_more(replica, api, make_user, monkeypatch) -> None:
    """Here an address that leads to the primary, as a coordinator's may after a failover."""
    client = api(make_user())
    replica.catch_up()
    assert is_read(replica, client)
    connections[replica.alias].close()
    monkeypatch.setitem(connections[replica.alias].settings_dict, "HOST", connection.settings_dict["HOST"])
    with reads_of(replica) as read:
        assert titles(client) == set()
    assert not read
    assert not replicas.watch.of_this_process().replicas[replica.alias].is_up


def test_a_replica_that_is_ahead_of_the_primary_is_not_used(replica, api, make_user, monkeypatch) -> None:
    """It follows a primary that was lost, with what was never acknowledged. Here the primary is said to be behind."""
    client = api(make_user())
    replica.catch_up()
    assert is_read(replica, client)
    known = replicas.watch.of_this_process()
    monkeypatch.setattr(known._primary, "ask", lambda sql: ("0/1000",))
    wait_until(lambda: not known.replicas[replica.alias].is_up)
    assert not is_read(replica, client)
    monkeypatch.undo()
    wait_until_up(replica)


def test_a_replica_connection_cannot_write(replica) -> None:
    with connections[replica.alias].cursor() as cursor:
        cursor.execute("SHOW default_transaction_read_only")
        assert cursor.fetchone() == ("on",)
        with pytest.raises(DatabaseError, match="read-only"):
            cursor.execute("CREATE TABLE x (y int)")


def test_inside_a_transaction_the_primary_is_read(replica) -> None:
    from django.db import router, transaction

    from api.ledger.models import Purse
    from api.projects.models import Project

    with replicas.reading(replica.alias):
        assert router.db_for_read(Project) == replica.alias
        assert router.db_for_write(Project) == "default"
        assert router.db_for_read(Purse) == "default"
        with transaction.atomic():
            assert router.db_for_read(Project) == "default"
    assert router.db_for_read(Project) == "default"


def test_threads_choose_for_themselves(replica, make_user) -> None:
    """And each finds out over its own connection how far the replica has come."""
    user, found = make_user(), []
    token = factories.make_token(user)
    replica.catch_up()

    def read() -> None:
        client = factories.ApiClient(headers={"Authorization": f"Bearer {token}"})
        found.append(is_read(replica, client))
        connections.close_all()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [True] * 4


def test_the_embedded_replica_is_one(replica) -> None:
    assert replica.ask("SELECT pg_is_in_recovery()") is True
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        replica.ask("DELETE FROM projects_project RETURNING 1")
