"""Who is connected, and to which gateway: in Redis, so that any node can tell. Without Redis nobody knows.

A gateway writes how many sockets each of its users has, under a name that ends by itself when the gateway no longer
says that it lives. A Redis that lost everything is told everything again within `BEAT` seconds.
"""

import time
from collections.abc import Collection, Mapping
from uuid import UUID

import redis

from api.core.redis import ask

BEAT = 10.0
"""Seconds between two signs of life of a gateway."""
LASTS = 30
"""Seconds after which a gateway that gives none is gone, and its users with it."""
_GATEWAYS = "guildhall:gateways"


def _sessions(gateway: str) -> str:
    return f"guildhall:sessions:{gateway}"


def where(user_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The gateways to which each of the users is connected; users who are not are left out."""
    names = [str(each) for each in user_ids]
    if not names:
        return {}

    def look(client: "redis.Redis") -> dict[UUID, list[str]]:
        gateways = [name.decode() for name in client.zrangebyscore(_GATEWAYS, time.time(), "+inf")]
        with client.pipeline(transaction=False) as pipe:
            for each in gateways:
                pipe.hmget(_sessions(each), names)
            found: dict[UUID, list[str]] = {}
            for gateway, counts in zip(gateways, pipe.execute(), strict=True):
                for user_id, count in zip(user_ids, counts, strict=True):
                    if count is not None:
                        found.setdefault(user_id, []).append(gateway)
        return found

    return ask(look, otherwise={})


def online(user_ids: Collection[UUID]) -> set[UUID]:
    """Those of the users who are connected to some gateway; empty where nobody can tell."""
    return set(where(user_ids))


def tell(gateway: str, changed: Mapping[UUID, int]) -> bool:
    """Write how many sockets these users have at this gateway. Whether that was done."""
    if not changed:
        return True

    def write(client: "redis.Redis") -> bool:
        with client.pipeline(transaction=False) as pipe:
            if there := {str(user): count for user, count in changed.items() if count}:
                pipe.hset(_sessions(gateway), mapping=there)
            if gone := [str(user) for user, count in changed.items() if not count]:
                pipe.hdel(_sessions(gateway), *gone)
            pipe.expire(_sessions(gateway), LASTS)
            pipe.execute()
        return True

    return ask(write, otherwise=False)


def beat(gateway: str, everybody: Mapping[UUID, int]) -> bool:
    """Say that this gateway lives; and who is there, if Redis does not know. Whether that was done."""

    def write(client: "redis.Redis") -> bool:
        now = time.time()
        with client.pipeline(transaction=False) as pipe:
            pipe.zadd(_GATEWAYS, {gateway: now + LASTS})
            pipe.zremrangebyscore(_GATEWAYS, "-inf", now)
            pipe.expire(_GATEWAYS, LASTS)
            pipe.expire(_sessions(gateway), LASTS)
            pipe.hlen(_sessions(gateway))
            *_, known = pipe.execute()
        if known != len(everybody):
            client.delete(_sessions(gateway))
            return tell(gateway, everybody)
        return True

    return ask(write, otherwise=False)


def leave(gateway: str) -> None:
    """This gateway ends, and nobody is there any more."""

    def write(client: "redis.Redis") -> None:
        client.zrem(_GATEWAYS, gateway)
        client.delete(_sessions(gateway))

    ask(write, otherwise=None)
