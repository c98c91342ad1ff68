"""The load generator: a process of its own that calls the API over kept connections and says what it saw.

It reads one JSON object from standard input and writes one to standard output; `drive` does both. One thread serves
all connections, and requests are made of prepared bytes, so that the machine's cores are left to the server.

Kinds of load:
    pair    each connection is a worker who claims the next task and submits an answer, again and again
    next    the same, but each submit takes the next task along (`"next": true`)
    claim   claims only, of the connection's workers in turn
    get     GET requests, of the connection's paths in turn
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

ROOT = Path(__file__).resolve().parent.parent
ANSWER = {"label": "1"}


def drive(
    url: str,
    kind: str,
    connections: list[list[str]],
    count: int,
    *,
    project: str = "",
    paths: list[str] | None = None,
    keys: bool = False,
    limit: float = 600,
) -> dict[str, Any]:
    """Run a load of `count` in all, for `limit` seconds at most. `connections` holds the tokens of each.

    Returns `done` (pairs, or answers of the other kinds), `refused` (answers with code no_task_left), `seconds`,
    `cpu_s` of the load generator, `tasks` (every task that was claimed) and `ms`: quantiles of one call's latency.
    """
    wanted = {
        "url": url,
        "kind": kind,
        "connections": connections,
        "count": count,
        "project": project,
        "paths": paths or [],
        "keys": keys,
        "limit": limit,
    }
    command = [sys.executable, "-m", "bench.load"]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(wanted), capture_output=True, text=True, check=False, timeout=limit + 60
    )
    if done.returncode:
        raise RuntimeError(f"The load generator failed:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


class Unexpected(Exception):
    """The server answered what this load does not expect."""


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    tokens: list[bytes]
    left: int
    """Claims it may still make: every connection makes as many, for a worker may hold only so many."""
    turn: int = 0
    assignment: str | None = None
    called: str = ""
    started: float = 0.0
    received: bytearray = field(default_factory=bytearray)


class _Load:
    def __init__(self, wanted: dict[str, Any]) -> None:
        self.kind: str = wanted["kind"]
        self.left: int = wanted["count"]
        self.keys: bool = wanted["keys"]
        self.paths: list[str] = wanted["paths"]
        self.deadline = time.monotonic() + wanted["limit"]
        self.claim_path = f"/api/v1/projects/{wanted['project']}/claim"
        address = urlsplit(wanted["url"])
        self.host = address.netloc
        self.done = self.refused = self.waiting = 0
        self.tasks: list[str] = []
        self.latencies: list[float] = []
        self.selector = selectors.DefaultSelector()
        self.connections = [
            _Connection(
                socket.create_connection((address.hostname, address.port), timeout=30),
                [token.encode() for token in tokens],
                wanted["count"] // len(wanted["connections"]) if self.kind == "claim" else wanted["count"],
            )
            for tokens in wanted["connections"]
        ]

    def run(self) -> dict[str, Any]:
        for each in self.connections:
            each.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(each.socket, selectors.EVENT_READ, each)
        started, cpu = time.monotonic(), time.process_time()
        for each in self.connections:
            self._begin(each)
        while self.waiting:
            ready = self.selector.select(30)
            if not ready:
                raise Unexpected("The server has not answered for 30 seconds.")
            for key, _ in ready:
                self._receive(key.data)
        seconds = time.monotonic() - started
        latencies = sorted(self.latencies) or [0.0]
        return {
            "done": self.done,
            "refused": self.refused,
            "seconds": seconds,
            "cpu_s": time.process_time() - cpu,
            "tasks": self.tasks,
            "ms": {
                name: round(latencies[int((len(latencies) - 1) * share)] * 1000, 2)
                for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
            },
        }

    def _begin(self, each: _Connection) -> None:
        """The next round of a connection, unless enough was done or time is up."""
        over = self.left <= 0 or each.left <= 0 or time.monotonic() > self.deadline
        if each.assignment is not None:
            # Came with the last submit; it is answered also when enough was done, so that nobody holds it.
            self.left -= 1
            self._submit(each, more=not over and self.left > 0)
            return
        if over:
            return
        self.left -= 1
        each.left -= 1
        if self.kind == "get":
            self._call(each, "GET", self.paths[each.turn % len(self.paths)])
            each.turn += 1
        else:
            self._call(each, "POST", self.claim_path)

    def _submit(self, each: _Connection, *, more: bool) -> None:
        body = orjson.dumps({"answer": ANSWER, "next": True} if more else {"answer": ANSWER})
        self._call(each, "POST", f"/api/v1/assignments/{each.assignment}/submit", body)

    def _call(self, each: _Connection, method: str, path: str, body: bytes = b"") -> None:
        token = each.tokens[each.turn % len(each.tokens)] if self.kind == "claim" else each.tokens[0]
        head = b"%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n" % (
            method.encode(),
            path.encode(),
            self.host.encode(),
            token,
        )
        if method == "POST":
            head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
            if self.keys:
                head += b"Idempotency-Key: %s\r\n" % uuid4().hex.encode()
        each.called = path
        self.waiting += 1
        each.started = time.perf_counter()
        each.socket.sendall(head + b"\r\n" + body)

    def _receive(self, each: _Connection) -> None:
        data = each.socket.recv(262_144)
        if not data:
            raise Unexpected(f"The server hung up during {each.called}.")
        each.received += data
        parsed = _parse(each.received)
        if parsed is None:
            return
        self.latencies.append(time.perf_counter() - each.started)
        each.received = bytearray()
        self.waiting -= 1
        self._answered(each, *parsed)

    def _answered(self, each: _Connection, status: int, body: bytes) -> None:
        if self.kind == "get":
            if status != 200:
                raise Unexpected(f"{each.called}: {status} {body[:300]!r}")
            self.done += 1
        elif each.called == self.claim_path:
            each.turn += 1
            if status == 409 and orjson.loads(body)["code"] == "no_task_left":
                self.refused += 1
                if self.kind != "claim":
                    return
            elif status == 201:
                self._has_claimed(each, orjson.loads(body))
                if self.kind != "claim":
                    self._submit(each, more=self.kind == "next" and self.left > 0)
                    return
                self.done += 1
                each.assignment = None
            else:
                raise Unexpected(f"{each.called}: {status} {body[:300]!r}")
        else:
            if status != 200:
                raise Unexpected(f"{each.called}: {status} {body[:300]!r}")
            self.done += 1
            each.assignment = None
            if (following := orjson.loads(body)["next"]) is not None:
                self._has_claimed(each, following)
        self._begin(each)

    def _has_claimed(self, each: _Connection, claim: dict[str, Any]) -> None:
        each.assignment = claim["id"]
        self.tasks.append(claim["task"])


def _parse(data: bytearray) -> tuple[int, bytes] | None:
    """Status and body of a whole HTTP/1.1 answer; None while some of it is still to come."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(data[:end]).lower()
    status = int(head[9:12])
    body = data[end + 4 :]
    if b"transfer-encoding: chunked" in head:
        joined = _joined(body)
        return None if joined is None else (status, joined)
    length = 0
    place = head.find(b"content-length:")
    if place >= 0:
        length = int(head[place + 15 :].split(b"\r\n", 1)[0])
    return (status, bytes(body[:length])) if len(body) >= length else None


def _joined(body: bytearray) -> bytes | None:
    """The chunks of a body put together; None while some are still to come."""
    pieces = []
    start = 0
    while (end := body.find(b"\r\n", start)) >= 0:
        size = int(body[start:end], 16)
        if len(body) < end + size + 4:
            return None
        if not size:
            return b"".join(pieces)
        pieces.append(bytes(body[end + 2 : end + 2 + size]))
        start = end + size + 4
    return None


if __name__ == "__main__":
    print(json.dumps(_Load(json.load(sys.stdin)).run()))
