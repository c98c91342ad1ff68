"""Who is there, and who is typing: told over Redis to any node, and over the gateways to whom it concerns."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from api.core import redis
from api.realtime import ephemeral, presence
from tests.factories import make_token, make_user
from tests.realtime.sockets import Client, GatewayProcess, RedisServer, wait_for


@pytest.fixture(autouse=True)
def forgiven(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What another test's Redis did is not held against this one's."""
    monkeypatch.setattr(redis, "_asked_again_at", 0.0)
    monkeypatch.setattr(ephemeral, "_kept", {})
    return


def test_who_is_connected_to_which_gateway(redis_server: RedisServer) -> None:
    ana, ben, cleo = uuid4(), uuid4(), uuid4()
    presence.beat("one:1", {ana: 2})
    presence.beat("two:2", {ana: 1, ben: 1})
    assert presence.where([ana, ben, cleo]) == {ana: ["one:1", "two:2"], ben: ["two:2"]}
    presence.tell("two:2", {ben: 0, cleo: 1})
    assert presence.online([ana, ben, cleo]) == {ana, cleo}
    presence.leave("two:2")
    assert presence.online([ana, ben, cleo]) == {ana}
    assert presence.online([]) == set()


def test_a_gateway_that_no_longer_lives_takes_its_users_along(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, ben = uuid4(), uuid4()
    monkeypatch.setattr(presence, "LASTS", 1)
    presence.beat("killed:1", {ana: 1})
    monkeypatch.setattr(presence, "LASTS", 60)
    presence.beat("lives:1", {ben: 1})
    assert presence.online([ana, ben]) == {ana, ben}
    wait_for(lambda: presence.online([ana, ben]) == {ben}, "the dead are still there", within=5)


def test_a_redis_that_forgot_everything_is_told_again(redis_server: RedisServer) -> None:
    ana = uuid4()
    presence.beat("one:1", {ana: 1})
    redis_server.kill()
    assert presence.online([ana]) == set()
    redis_server.start()
    wait_for(lambda: presence.beat("one:1", {ana: 1}), "Redis is not asked again")
    assert presence.online([ana]) == {ana}


def test_without_redis_nobody_can_tell(settings: Any) -> None:
    settings.REDIS_URL = ""
    assert presence.beat("one:1", {uuid4(): 1}) is False
    assert presence.online([uuid4()]) == set()


def test_a_resolver_is_asked_once_in_a_while_for_the_same_frame() -> None:
    asked = []

    def resolve(user_id: Any, frame: Any) -> Any:
        asked.append(frame)
        return ([user_id], {"thread": frame["thread"]}) if frame["thread"] else None

    ephemeral.register("test.typing", resolve)
    try:
        ana = uuid4()
        first = ephemeral.resolve("test.typing", ana, {"thread": "a"})
        assert first == ([ana], {"thread": "a"})
        assert ephemeral.resolve("test.typing", ana, {"thread": "a"}) == first
        assert ephemeral.resolve("test.typing", ana, {"thread": ""}) is None
        assert ephemeral.resolve("test.typing", ana, {"thread": ""}) is None
        assert len(asked) == 2
        ephemeral.resolve("test.typing", uuid4(), {"thread": "a"})
        assert len(asked) == 3
    finally:
        del ephemeral._resolvers["test.typing"]


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_gateways_tell_redis_who_is_there_and_survive_its_end(
    redis_server: RedisServer,
    gateways: Callable[..., GatewayProcess],
    connect: Callable[..., Client],
) -> None:
    ana, ben = make_user("Ana"), make_user("Ben")
    one, two = gateways(), gateways()
    hers, his = connect(make_token(ana), at=one), connect(make_token(ben), at=two)
    wait_for(lambda: presence.online([ana.id, ben.id]) == {ana.id, ben.id}, "nobody is there")
    assert presence.where([ana.id])[ana.id] != presence.where([ben.id])[ben.id]
    hers.close()
    wait_for(lambda: presence.online([ana.id, ben.id]) == {ben.id}, "who has left is still there")
    redis_server.kill()
    wait_for(lambda: presence.online([ben.id]) == set(), "Redis is dead")
    redis_server.start()
    wait_for(
        lambda: presence.online([ben.id]) == {ben.id}, "the gateway does not tell again", within=presence.BEAT + 10
    )
    began = time.monotonic()
    assert two.stop() == 0
    assert time.monotonic() - began < 10
    wait_for(lambda: presence.online([ben.id]) == set(), "a gateway that has stopped has users")
    assert his.wait_closed() == 1001
