"""What reading from a replica costs: the CPU of a read with a position, over the same read from the primary alone.

Two nodes stand before one primary, one of which knows a replica as well. The figure is the CPU of the node and of both
servers for each read of a list, with the position of the last write, less the CPU of the same read at the other node.
Beside it stands what a write and the read that follows at once cost more: the position is asked for, then whether the
replica has come so far, and often the primary reads after all. Rounds take turns, and the figures are medians.
"""

import http.client
from collections.abc import Callable
from typing import Any

from bench.machine import Bench, middle
from bench.nodes import Node
from bench.stack import cpu_of_family
from bench.world import User, World
from config.local import database

KEYS = ("router_cpu_ms",)
_PATH = "/api/v1/projects?limit=5"


class Caller:
    """One connection to a node, kept for as long as a load lasts."""

    def __init__(self, node: Node, user: User) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)
        self._headers = {"Authorization": f"Bearer {user.token}"}
        self.position = ""

    def begin(self) -> None:
        """Connect anew: a node does not keep a connection over which nothing comes while the other is measured."""
        self._connection.close()

    def read(self) -> None:
        self._call("GET", _PATH, 200, {"X-Read-After": self.position} if self.position else {})

    def write(self, project: str) -> None:
        self._call("POST", f"/api/v1/projects/{project}/hide", 204, {})

    def _call(self, method: str, path: str, wanted: int, headers: dict[str, str]) -> None:
        self._connection.request(method, path, headers={**self._headers, **headers})
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != wanted:
            raise RuntimeError(f"{method} {path}: {answer.status}")
        self.position = answer.headers.get("X-Read-After", self.position)


def measure(bench: Bench) -> dict[str, Any]:
    sizes = bench.sizes
    with bench.world(jobs=False) as world:
        (owner,) = world.users(1)
        (project, *_) = world.projects(owner, 5, 2)
        replica = database.start_replica(world.stack.server, world.stack.data / "replica")
        nodes: list[Node] = []
        try:
            url = database.url_of(replica, "guildhall")
            nodes = [Node(world.stack), Node(world.stack, REPLICA_URLS=url)]
            for node in nodes:
                node.start()
            for node in nodes:
                node.wait()
            return _compared(
                bench, world, [Caller(node, owner) for node in nodes], nodes, project.id, sizes.replica_reads
            )
        finally:
            for node in nodes:
                node.close()
            replica.stop()


def _compared(
    bench: Bench, world: World, callers: list[Caller], nodes: list[Node], project: str, count: int
) -> dict[str, Any]:
    def reads(caller: Caller) -> None:
        caller.begin()
        caller.write(project)
        for _ in range(count):
            caller.read()

    def writes_and_reads(caller: Caller) -> None:
        caller.begin()
        for _ in range(count):
            caller.write(project)
            caller.read()

    found: dict[str, float] = {}
    for name, load in (("router_cpu_ms", reads), ("router_cpu_ms_after_write", writes_and_reads)):
        more, bare = [], []
        for caller in callers:
            load(caller)
        for number in range(bench.sizes.replica_rounds):
            spent = {}
            # Each first as often as the other.
            for which in (0, 1) if number % 2 else (1, 0):
                spent[which] = _cpu(world, nodes[which], lambda which=which, load=load: load(callers[which])) / count
            more.append(spent[1] - spent[0])
            bare.append(spent[0])
        found[name] = middle(more)
        bench.say(f"{name}: {found[name]:.3f} ms more than {middle(bare):.2f}")
    return found


def _cpu(world: World, node: Node, load: Callable[[], None]) -> float:
    """CPU milliseconds of the node and both servers during a load."""
    assert node.process is not None
    servers = [
        int((world.stack.data / name / "postmaster.pid").read_text().split()[0]) for name in ("postgres", "replica")
    ]
    families = [node.process.pid, *servers]
    before = sum(cpu_of_family(pid) for pid in families)
    load()
    return (sum(cpu_of_family(pid) for pid in families) - before) * 1000
