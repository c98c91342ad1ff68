"""How long writes stop when the PostgreSQL primary is lost, seen by callers of the whole topology.

Four callers write through nginx, two nodes and three pgpools, each write with a key, made again until it is answered.
Then the primary is killed, or stopped so that it hangs. The figure is the time from there to the first success of a
write that began afterwards; the median of three losses, each after the last one has been made good. Beside it stands
the longest silence of that loss: pgpool cuts some sessions once more when it has found the next primary.
"""

import http.client
import itertools
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.machine import Bench, middle
from config.cluster import Cluster, programs
from config.cluster.postgres import Node
from config.cluster.programs import wait_until

KEYS = ("failover_s",)
CALLERS = 4
ROUNDS = 3
PATIENCE = 60


class Writers:
    """Callers who make projects, and when each was made: (began, answered), in `time.monotonic()`."""

    def __init__(self, port: int, tokens: list[str]) -> None:
        self._port = port
        self.done: list[tuple[float, float]] = []
        self.unclean: set[int] = set()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=[token], daemon=True) for token in tokens]

    def _write(self, token: str) -> None:
        body = json.dumps({"title": "A project"})
        while not self._stop.is_set():
            headers = {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Idempotency-Key": uuid4().hex,
            }
            while not self._stop.is_set():
                began = time.monotonic()
                if self._once(body, headers):
                    self.done.append((began, time.monotonic()))
                    break
                time.sleep(0.05)

    def _once(self, body: str, headers: dict[str, str]) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("POST", "/api/v1/projects", body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if answer.status not in (201, 502, 503, 504):
            self.unclean.add(answer.status)
        return answer.status == 201

    @contextmanager
    def writing(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            wait_until(lambda: len(self.done) >= 20, PATIENCE, "writers have begun")
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(PATIENCE)


def lose(cluster: Cluster, tokens: list[str], harm: Callable[[Node], None]) -> tuple[float, float]:
    """Seconds to the first write that succeeds after the primary is lost, and of the longest silence around it."""
    old = cluster.pg.primary()
    writers = Writers(cluster.port, tokens)
    with writers.writing():
        lost = time.monotonic()
        harm(old)
        wait_until(lambda: any(began > lost for began, _ in list(writers.done)), PATIENCE, "writes go on")
        # When pgpool cuts sessions once more, that belongs to the same loss.
        time.sleep(5)
    if writers.unclean:
        raise RuntimeError(f"Writes were answered with {sorted(writers.unclean)}.")
    answered = sorted(answered for _, answered in writers.done)
    first = min(answered for began, answered in writers.done if began > lost) - lost
    around = [at for at in answered if at > lost - 0.5]
    silence = max(late - early for early, late in itertools.pairwise(around))
    cluster.rejoin(old)
    return first, silence


def measure(bench: Bench) -> dict[str, Any]:
    if lacking := programs.missing():
        raise RuntimeError(f"a cluster needs {', '.join(lacking)}")
    folder = Path(tempfile.mkdtemp(prefix="guildhall-failover-"))
    # PostgreSQL runs as a user of its own.
    folder.chmod(0o755)
    try:
        limits = {"RATE_LIMIT_USER": "100000000", "RATE_LIMIT_APPLICATION": "100000000"}
        with Cluster(folder, web=2, gateways=1, jobs=0, env=limits) as cluster:
            tokens = [each["token"] for each in cluster.seed(*(f"Caller {number}" for number in range(CALLERS)))]
            killed = []
            for _ in range(ROUNDS):
                killed.append(lose(cluster, tokens, Node.kill))
                bench.say(f"primary killed: first write after {killed[-1][0]:.2f} s, silence {killed[-1][1]:.2f} s")
            hung = lose(cluster, tokens, Node.pause)
            bench.say(f"primary hung: first write after {hung[0]:.2f} s, silence {hung[1]:.2f} s")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "failover_s": middle([first for first, _ in killed]),
        "failover_silence_s": middle([silence for _, silence in killed]),
        "failover_hung_s": hung[0],
    }
