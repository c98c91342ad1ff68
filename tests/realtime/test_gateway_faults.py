"""What a gateway's clients see of faults: nothing is missed, and nothing is told twice."""

import os
import subprocess
import sys
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from api.accounts.models import User
from api.realtime import outbox
from tests.factories import make_token, make_user
from tests.realtime.sockets import Client, GatewayProcess, RedisServer, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def tell(user: User) -> str:
    subject: UUID = uuid4()
    with transaction.atomic():
        outbox.publish("assignment.accepted", subject=subject, audience=[user.id])
    return str(subject)


def told(clients: list[Client]) -> list[str]:
    """What a client that drops ids which it knows has seen over its connections, in order."""
    seen: dict[int, str] = {}
    for client in clients:
        for event in client.events:
            seen.setdefault(event["id"], event["subject"])
    return list(seen.values())


def test_a_killed_gateway_costs_nothing_but_a_new_connection(
    gateways: Callable[..., GatewayProcess], connect: Callable[..., Client]
) -> None:
    ana = make_user("Ana")
    token = make_token(ana)
    first, second = gateways(REDIS_URL=""), gateways(REDIS_URL="")
    client = connect(token, at=first)
    sent = [tell(ana) for _ in range(3)]
    client.wait("event", subject=sent[-1])
    first.kill()
    client.wait_closed()
    sent += [tell(ana) for _ in range(3)]
    again = connect(token, client.events[-1]["id"], at=second)
    sent.append(tell(ana))
    again.wait("event", subject=sent[-1])
    assert told([client, again]) == sent
    assert "reload" not in [frame["type"] for frame in again.frames]
    first.start()
    third = connect(token, again.events[-1]["id"], at=first)
    sent.append(tell(ana))
    third.wait("event", subject=sent[-1])
    assert told([client, again, third]) == sent


def test_a_stopping_gateway_sends_its_clients_elsewhere(
    gateways: Callable[..., GatewayProcess], connect: Callable[..., Client]
) -> None:
    gateway = gateways(REDIS_URL="")
    clients = [connect(make_token(make_user("Ana")), at=gateway) for _ in range(5)]
    silent = connect(at=gateway)
    assert gateway.stop() == 0
    assert {client.wait_closed() for client in [*clients, silent]} == {1001}
    assert gateway.status("/readyz") == 0


def test_a_dead_redis_delays_events_and_loses_none(
    gateways: Callable[..., GatewayProcess], connect: Callable[..., Client], redis_server: RedisServer
) -> None:
    ana = make_user("Ana")
    client = connect(make_token(ana), at=gateways())
    sent = [tell(ana)]
    client.wait("event", subject=sent[0])
    redis_server.kill()
    for _ in range(3):
        sent.append(tell(ana))
        client.wait("event", subject=sent[-1])
    redis_server.start()
    sent.append(tell(ana))
    client.wait("event", subject=sent[-1])
    assert told([client]) == sent
    assert len(client.events) == len(sent)


def test_sessions_that_the_database_ends_are_opened_again(
    gateway: GatewayProcess, connect: Callable[..., Client]
) -> None:
    """Every session of the gateway at once, in the middle of events, as a failover of the coordinator does it."""
    ana = make_user("Ana")
    client = connect(make_token(ana))
    sent = []
    for _ in range(3):
        sent += [tell(ana) for _ in range(5)]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        sent += [tell(ana) for _ in range(5)]
        client.wait("event", subject=sent[-1])
    assert [event["subject"] for event in client.events] == sent
    wait_for(lambda: gateway.status("/readyz") == 200, "the gateway is not ready again")


def test_the_gateway_is_a_module_that_refuses_wrong_settings() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "config.gateway"],
        env={**os.environ, "GUILDHALL_MODE": "local", "GATEWAY_PORT": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "GATEWAY_PORT" in done.stderr
