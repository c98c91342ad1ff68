"""Gateways and their clients."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.realtime.sockets import Client, GatewayProcess, Loop, RedisServer


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
def redis_server(tmp_path: Path, settings: Any) -> Iterator[RedisServer]:
    """A Redis of this test's own, which is also configured."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(tmp_path)
    settings.REDIS_URL = server.url
    yield server
    server.kill()


@pytest.fixture
def gateways(transactional_db: None, settings: Any) -> Iterator[Callable[..., GatewayProcess]]:
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
