"""Live updates: what an idle socket costs, how long an event takes to a socket, and to all of many.

The clients are bare sockets in this process, which hold nothing but what came last; the gateway and PostgreSQL have the
same cores to share with them. Events are published by a process of Guildhall, as web nodes do it, and timed from before
their commit; all processes of one machine read the same clock.
"""

import json
import random
import resource
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import psutil

from bench.machine import Bench, middle
from bench.stack import ROOT
from bench.world import World

KEYS = ("event_p95_ms", "sockets_10k_mb", "fanout_5k_s")
# Connections that are being made at the same time, from addresses of their own: there are more than one has ports for.
_WAVE = 100
_ADDRESSES = [f"127.0.0.{number}" for number in range(2, 10)]
_SETTLE = 4.0
_PATIENCE = 60.0
_HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Crowd:
    """Sockets that have said hello, one for each token. Use it in a `with`."""

    def __init__(self, port: int, tokens: Sequence[str]) -> None:
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._tails: dict[int, bytes] = {}
        for start in range(0, len(tokens), _WAVE):
            opened = {
                self._open(port, token, start + number) for number, token in enumerate(tokens[start : start + _WAVE])
            }
            self._hear(b'"ready"', opened)

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *exception: object) -> None:
        for each in self._sockets.values():
            each.close()
        self._poll.close()

    def _open(self, port: int, token: str, number: int) -> int:
        made = socket.socket()
        made.bind((_ADDRESSES[number % len(_ADDRESSES)], 0))
        made.connect(("127.0.0.1", port))
        hello = json.dumps({"token": token}).encode()
        # A mask of zeros leaves the text as it is.
        made.sendall(_HANDSHAKE + bytes([0x81, 0x80 | len(hello)]) + bytes(4) + hello)
        made.setblocking(False)
        self._sockets[made.fileno()] = made
        self._tails[made.fileno()] = b""
        self._poll.register(made.fileno(), select.EPOLLIN)
        return made.fileno()

    def _hear(self, text: bytes, wanted: set[int]) -> float:
        """When the last of these sockets had got `text`."""
        missing, at = set(wanted), time.monotonic()
        deadline = at + _PATIENCE
        while missing:
            for number, part in self._parts(deadline):
                at = time.monotonic()
                if text in part:
                    missing.discard(number)
        return at

    def hear_all(self, subject: str) -> float:
        """When the last of all sockets had got the event about `subject`."""
        return self._hear(subject.encode(), set(self._sockets))

    def hear_each(self, count: int) -> dict[str, float]:
        """When each of the next `count` events came, by its subject."""
        heard: dict[str, float] = {}
        deadline = time.monotonic() + _PATIENCE
        while len(heard) < count:
            for _, part in self._parts(deadline):
                at = time.monotonic()
                for each in part.split(b'"subject":"')[1:]:
                    if len(each) >= 36:
                        heard.setdefault(each[:36].decode(), at)
        return heard

    def _parts(self, deadline: float) -> list[tuple[int, bytes]]:
        """What came, with the end of what came before it on the same socket."""
        ready = self._poll.poll(max(0.0, deadline - time.monotonic()), 1000)
        if not ready:
            raise TimeoutError("Sockets wait for what does not come.")
        parts = []
        for number, _ in ready:
            came = self._sockets[number].recv(65_536)
            if not came:
                raise ConnectionError("The gateway closed a socket.")
            parts.append((number, self._tails[number] + came))
            self._tails[number] = came[-400:]
        return parts


class Publisher:
    """A process of Guildhall that publishes what it is told to. Use it in a `with`."""

    def __init__(self, world: World) -> None:
        command = [sys.executable, "-m", "bench.sockets"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=world.stack.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)

    def ask(self, *audiences: str) -> None:
        """Publish one event for each of these, with pauses between them."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(audiences) + "\n")
        self._process.stdin.flush()

    def told(self) -> dict[str, float]:
        """When each event that was asked for was about to be committed, by its subject."""
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.readline()))


def measure(bench: Bench) -> dict[str, Any]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sizes = bench.sizes
    with bench.world(gateway=True, jobs=False) as world, Publisher(world) as publisher:
        users = world.users(sizes.sockets)
        ((everybody,),) = world.run("SELECT uuidv7()::text")
        world.run("INSERT INTO collectives_collective (id, kind, name) VALUES (%s, 'group', 'Everybody')", [everybody])
        members = [each.id for each in users[: sizes.fanout]]
        world.run(
            "INSERT INTO collectives_membership (id, collective_id, user_id, role)"
            " SELECT uuidv7(), %s, id::uuid, 'member' FROM unnest(%s) id",
            [everybody, members],
        )
        world.settle()
        assert world.stack.gateway is not None
        gateway = psutil.Process(world.stack.gateway.pid)
        tokens = [each.token for each in users]
        found: dict[str, Any] = {"sockets_empty_mb": gateway.memory_info().rss / 1e6}
        some = sizes.listeners
        with Crowd(world.stack.gateway_port, tokens[:some]) as few:
            found["event_p95_ms"], found["event_p50_ms"] = _delays(
                few, publisher, [each.id for each in users[:some]], sizes.events
            )
        with Crowd(world.stack.gateway_port, tokens[: sizes.fanout]) as many:
            found["fanout_5k_s"] = middle([_fanout(many, publisher, everybody) for _ in range(sizes.fanouts)])
        time.sleep(_SETTLE)
        with Crowd(world.stack.gateway_port, tokens):
            time.sleep(_SETTLE)
            before, began = sum(gateway.cpu_times()[:2]), time.monotonic()
            time.sleep(_SETTLE)
            found["sockets_10k_mb"] = gateway.memory_info().rss / 1e6
            found["sockets_10k_cpu"] = (sum(gateway.cpu_times()[:2]) - before) / (time.monotonic() - began)
    return found


def _delays(crowd: Crowd, publisher: Publisher, user_ids: Sequence[str], count: int) -> tuple[float, float]:
    """(p95, median) of the milliseconds from before a commit until the event is in the user's socket."""
    chance = random.Random(5)
    publisher.ask(*[chance.choice(user_ids) for _ in range(count)])
    heard = crowd.hear_each(count)
    written = publisher.told()
    delays = sorted((heard[subject] - at) * 1000 for subject, at in written.items())
    return delays[int(len(delays) * 0.95)], middle(delays)


def _fanout(crowd: Crowd, publisher: Publisher, collective_id: str) -> float:
    publisher.ask(collective_id)
    ((subject, at),) = publisher.told().items()
    return crowd.hear_all(subject) - at


def publish() -> None:
    """What a `Publisher` runs: for each line, a list of audiences, publish events and tell when."""
    import django

    django.setup()
    from uuid import UUID, uuid4

    from django.db import transaction

    from api.realtime import outbox

    for line in sys.stdin:
        written: dict[str, float] = {}
        for audience in json.loads(line):
            subject = uuid4()
            with transaction.atomic():
                outbox.publish(
                    "project.paused", subject=subject, audience=[UUID(audience)], data={"project": str(subject)}
                )
                written[str(subject)] = time.monotonic()
            time.sleep(0.02)
        print(json.dumps(written), flush=True)


if __name__ == "__main__":
    publish()
