"""Web nodes behind nginx: what a rolling restart under load costs in failed requests, and what nginx costs in CPU.

The overhead is the CPU of nginx and three nodes of one process for each request, over that of one gunicorn of three
processes which is called directly, over kept connections; the database's is left out of both. Rounds take turns, and
the figure is the median of their ratios, less one.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psutil

from bench.load import drive
from bench.machine import Bench, middle
from bench.stack import ROOT, Stack, free_port
from config import nginx
from config.cluster.programs import find

KEYS = ("rolling_failed", "nginx_overhead")
_NODES = 3
_START_WITHIN = 60


class Node:
    """One web node on a port of its own: `config/gunicorn.conf.py` as it is, in the environment of a stack."""

    def __init__(self, stack: Stack, processes: int = 1, **env: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = {**stack.env, "PORT": str(self.port), "WEB_CONCURRENCY": str(processes), **env}
        self._output = (stack.data / f"web-{self.port}").open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "config.wsgi", "-c", "config/gunicorn.conf.py"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=self._output, stderr=self._output)

    def wait(self) -> None:
        """Until it is ready. Raises RuntimeError when it ends instead, or takes too long."""
        deadline = time.monotonic() + _START_WITHIN
        while get(self.port, "/readyz")[0] != 200:
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"A web node did not become ready: {self._output.name} says why.")
            time.sleep(0.05)

    def end(self) -> int:
        """Ask it to stop, as a service manager does, and wait. The exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(40)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.end()
        self._output.close()


def get(port: int, path: str) -> tuple[int, Any]:
    """The status of one request, and its JSON; status 0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    except (OSError, http.client.HTTPException, ValueError):
        return 0, None
    finally:
        connection.close()


@contextmanager
def behind_nginx(stack: Stack, count: int = _NODES, **env: str) -> Iterator[tuple[int, list[Node], int]]:
    """The port of an nginx before `count` ready nodes, the nodes, and nginx's process id."""
    nodes = [Node(stack, **env) for _ in range(count)]
    port = free_port()
    folder = stack.data / f"nginx-{port}"
    folder.mkdir()
    process = None
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            node.wait()
        text = nginx.render(
            web=[f"127.0.0.1:{node.port}" for node in nodes],
            listen=f"127.0.0.1:{port}",
            client=folder,
            prefix=folder,
            max_connections=int(env.get("WEB_THREADS", "8")),
        )
        (folder / "nginx.conf").write_text(text)
        process = subprocess.Popen(
            [find("nginx"), "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"]
        )
        deadline = time.monotonic() + 10
        while get(port, "/readyz")[0] != 200:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nginx does not answer: {folder / 'error.log'} says why.")
            time.sleep(0.02)
        yield port, nodes, process.pid
    finally:
        if process is not None:
            process.terminate()
            process.wait(10)
        for node in nodes:
            node.close()


# A rolling restart


@dataclass(slots=True)
class Journal:
    """What clients were answered."""

    answered: int = 0
    made: set[str] = field(default_factory=set)
    """The ids of all projects whose creation was acknowledged."""
    failed: list[str] = field(default_factory=list)


class Clients:
    """Clients who read and write without a pause, each over a connection that nginx keeps, until they are stopped.

    Every third call creates a project, with a key of its own.
    """

    def __init__(self, port: int, tokens: list[str]) -> None:
        self.journal = Journal()
        self._port = port
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(token,), daemon=True) for token in tokens]

    def __enter__(self) -> Journal:
        for thread in self._threads:
            thread.start()
        return self.journal

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, token: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        turn = 0
        while not self._stop.is_set():
            turn += 1
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            wanted, method, path, body = 200, "GET", "/api/v1/feed", None
            if turn % 3 == 0:
                headers["Idempotency-Key"] = str(uuid4())
                wanted, method, path, body = 201, "POST", "/api/v1/projects", json.dumps({"title": "Rolling"})
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                said = answer.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self._note(f"{method}: {error!r}")
                continue
            if answer.status != wanted:
                self._note(f"{method}: {answer.status} {said[:200]!r}")
                continue
            with self._lock:
                self.journal.answered += 1
                if method == "POST":
                    self.journal.made.add(json.loads(said)["id"])
        connection.close()

    def _note(self, failure: str) -> None:
        with self._lock:
            self.journal.failed.append(failure)


def roll(port: int, nodes: list[Node], tokens: list[str], rounds: int = 1) -> Journal:
    """Restart every node in turn, `rounds` times, while clients call; each is ready before the next one is stopped."""
    with Clients(port, tokens) as journal:
        for node in nodes * rounds:
            before = journal.answered
            node.end()
            node.start()
            node.wait()
            deadline = time.monotonic() + 10
            # With all nodes there, so that every stop is of one that has requests.
            while journal.answered < before + 30 and time.monotonic() < deadline:
                time.sleep(0.02)
    return journal


# What nginx costs


def measure(bench: Bench) -> dict[str, Any]:
    sizes = bench.sizes
    with bench.world(jobs=False) as world:
        users = world.users(4)
        tokens = [user.token for user in users]
        world.projects(users[0], sizes.node_projects, 3)
        direct = Node(world.stack, processes=_NODES)
        direct.start()
        try:
            direct.wait()
            with behind_nginx(world.stack) as (port, nodes, pid):
                journal = roll(port, nodes, tokens, sizes.node_rounds)
                bench.say(f"nodes: {journal.answered:,} answered, {len(journal.failed)} failed in a rolling restart")
                ratios, costs = _overhead(bench, port, nodes, pid, direct, tokens)
        finally:
            direct.close()
    return {
        "rolling_failed": len(journal.failed),
        "nginx_overhead": middle(ratios) - 1,
        "nodes": {"rolling_answered": journal.answered, **{name: middle(each) for name, each in costs.items()}},
    }


def _overhead(
    bench: Bench, port: int, nodes: list[Node], pid: int, direct: Node, tokens: list[str]
) -> tuple[list[float], dict[str, list[float]]]:
    families: dict[str, tuple[str, list[int]]] = {
        "direct_ms": (direct.url, [_pid(direct)]),
        "nginx_ms": (f"http://127.0.0.1:{port}", [pid, *(_pid(node) for node in nodes)]),
    }
    costs: dict[str, list[float]] = {name: [] for name in families}
    count = bench.sizes.node_requests
    load: Callable[[str, int], Any] = lambda url, many: drive(  # noqa: E731
        url, "get", [[token] for token in tokens], many, paths=["/api/v1/feed"]
    )
    for url, _ in families.values():
        load(url, max(8, count // 4))
    for turn in range(bench.sizes.node_rounds * 3):
        order = list(families.items())
        for name, (url, pids) in order if turn % 2 else reversed(order):
            before = sum(map(_cpu, pids))
            done = load(url, count)["done"]
            costs[name].append((sum(map(_cpu, pids)) - before) * 1000 / done)
    ratios = [through / straight for through, straight in zip(costs["nginx_ms"], costs["direct_ms"], strict=True)]
    bench.say(f"nodes: {middle(costs['direct_ms']):.2f} ms directly, {middle(costs['nginx_ms']):.2f} ms through nginx")
    return ratios, costs


def _pid(node: Node) -> int:
    assert node.process is not None
    return node.process.pid


def _cpu(pid: int) -> float:
    """CPU seconds of a process and its children so far."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return float(sum(times.user + times.system for times in (each.cpu_times() for each in family)))
