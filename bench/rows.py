"""What one answer costs besides its claim and submit: bytes on the disk, and CPU of accepting, saving and looking.

`docs/capacity.md` reckons with it. The bytes are those of every table and index that one answer, claimed, submitted,
accepted and paid, makes grow.
"""

from collections.abc import Callable
from typing import Any

from bench.load import drive
from bench.machine import WORKERS, Bench, Cost, cost_of
from bench.pairs import publish, warm_up
from bench.replay import Api
from bench.world import REWARD, World

KEYS = ("answer_bytes", "accept_cpu_ms")
_FOR_A_DAY = "core_idempotencykey"
"""The table whose rows are kept for a day only; it is told apart."""


def measure(bench: Bench) -> dict[str, Any]:
    count = bench.sizes.pairs
    with bench.world() as world:
        warm_up(world)
        owner = world.rich_user(count * REWARD)
        project = publish(world, owner, count)
        workers = world.users(WORKERS)
        world.settle()
        before = _bytes(world)
        drive(world.stack.url, "next", [[user.token] for user in workers], count, project=project, keys=True)
        requester = Api(world.stack.url, owner.token)
        accept = cost_of(world.stack, lambda: _accept(requester, project, count))
        world.settle()
        after = _bytes(world)
        grown = {name: (after[name] - before.get(name, 0)) / count for name in after}
        largest = sorted((name for name in grown if grown[name] >= 1), key=lambda name: -grown[name])
        bench.say("rows: " + ", ".join(f"{name} {grown[name]:.0f} B" for name in largest))
        worker = Api(world.stack.url, workers[0].token)
        reads = {
            "assignment": _repeated(world, lambda: worker.must("GET", "/assignments?limit=20")),
            "progress": _repeated(world, lambda: requester.must("GET", f"/projects/{project}/progress")),
            "review": _repeated(world, lambda: requester.must("GET", f"/projects/{project}/assignments?limit=50")),
        }
        draft = _drafts(world, count // 8)
    return {
        "answer_bytes": sum(grown.values()) - grown[_FOR_A_DAY],
        "answer_key_bytes": grown[_FOR_A_DAY],
        "answer_bytes_by_table": {name: grown[name] for name in largest},
        "accept_cpu_ms": accept.ms,
        "accept_db_ms": accept.database_ms,
        "draft_cpu_ms": draft.ms,
        "draft_db_ms": draft.database_ms,
        "read_cpu_ms": {name: cost.ms for name, cost in reads.items()},
        "read_db_ms": {name: cost.database_ms for name, cost in reads.items()},
    }


def _bytes(world: World) -> dict[str, int]:
    """Size of every table with its indexes and large values, by name."""
    rows = world.run(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    return dict(rows)


def _accept(requester: Api, project: str, count: int) -> dict[str, Any]:
    path = f"/projects/{project}/assignments/accept"
    done = requester.must("POST", path, {"filter": {"state": "submitted"}, "expect": count})
    return {"done": count, "refused": 0, "answer": done}


def _repeated(world: World, call: Callable[[], Any], times: int = 100) -> Cost:
    call()

    def load() -> dict[str, Any]:
        for _ in range(times):
            call()
        return {"done": times, "refused": 0}

    return cost_of(world.stack, load)


def _drafts(world: World, times: int) -> Cost:
    """Saving what a worker types."""
    owner = world.rich_user(REWARD)
    project = publish(world, owner, 1)
    (user,) = world.users(1)
    worker = Api(world.stack.url, user.token)
    claimed = worker.must("POST", f"/projects/{project}/claim")["id"]
    return _repeated(
        world, lambda: worker.must("PUT", f"/assignments/{claimed}/draft", {"draft": {"label": "1"}}), max(times, 1)
    )
