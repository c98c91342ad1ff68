"""Gateways and their clients."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from tests.realtime.sockets import Client, GatewayProcess, Loop


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture(scope="module")
def gateway(django_db_setup: None, django_db_blocker: Any) -> Iterator[GatewayProcess]:
    """A gateway without Redis, which the tests of a module share."""
    with django_db_blocker.unblock():
        made = GatewayProcess(REDIS_URL="", SOCKETS_PER_USER="3", CLIENT_ORIGINS="https://app.example")
    yield made
    made.stop()


@pytest.fixture
def gateways(transactional_db: None) -> Iterator[Callable[..., GatewayProcess]]:
    """`gateways(NAME="value")` starts one more gateway."""
    made: list[GatewayProcess] = []

    def start(**env: str) -> GatewayProcess:
        made.append(GatewayProcess(**{"REDIS_URL": settings.REDIS_URL, **env}))
        return made[-1]

    yield start
    for each in made:
        each.stop()


@pytest.fixture
def connect(loop: Loop, gateway: GatewayProcess) -> Iterator[Callable[..., Client]]:
    """`connect(token, after=None)`: a client that has said hello; `connect()` has said nothing yet."""
    made: list[Client] = []

    def open_(
        token: str | None = None, after: int | None = None, *, at: GatewayProcess | None = None, **how: Any
    ) -> Client:
        client = Client(loop, (at or gateway).ws, **how)
        made.append(client)
        if token is not None:
            client.hello(token, after)
        return client

    yield open_
    for each in made:
        each.close()
    connection.ensure_connection()
