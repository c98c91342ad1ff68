"""Whether a claim and a submit cost more with many tasks, with a long past, or when nothing is left.

Each figure is a ratio: CPU of application and database for one pair there, by CPU for one pair of a new worker in a
project of 10,000 tasks on a stack that has nothing else. Rounds here and there take turns, and the figure is the
median of their ratios.
"""

from collections.abc import Callable
from typing import Any

from bench.load import drive
from bench.machine import WORKERS, Bench, Cost, cost_of, middle
from bench.pairs import warm_up
from bench.world import Project, User, World

STRETCHES = 12
"""Ranges of positions that a worker with a long past has seen. The claim function begins none beyond 16."""


def million(bench: Bench) -> dict[str, Any]:
    """A project of 1,000,000 tasks."""
    return _size(bench, "growth_1m", bench.sizes.million)


def ten_million(bench: Bench) -> dict[str, Any]:
    """A project of 10,000,000 tasks."""
    return _size(bench, "growth_10m", bench.sizes.ten_million)


def _size(bench: Bench, name: str, tasks: int) -> dict[str, Any]:
    with bench.world() as base, bench.world() as world:
        _ready(base)
        owner = _ready(world)
        bench.say(f"{name}: making {tasks:,} tasks")
        project = world.project(owner, tasks)
        world.settle()

        def there() -> Cost:
            return _pairs(world, project, world.users(WORKERS), bench.sizes.growth_pairs)

        return _compare(bench, name, base, there)


def history(bench: Bench) -> dict[str, Any]:
    """Workers who have each done 100,000 tasks of a project already, all of them the same one."""
    past = bench.sizes.past
    with bench.world() as base, bench.world() as world:
        _ready(base)
        owner = _ready(world)
        # A quarter more than they have done: what is left for them lies between what they did.
        width = past // STRETCHES * 5 // 4
        project = world.project(owner, width * STRETCHES * WORKERS)
        workers = world.users(WORKERS)
        for number, worker in enumerate(workers):
            starts = [(turn * WORKERS + number) * width for turn in range(STRETCHES)]
            world.past(project, worker, [(start, start + past // STRETCHES) for start in starts])
            bench.say(f"growth_history: a past of {past:,} answers for worker {number + 1} of {WORKERS}")
        world.settle()
        return _compare(
            bench, "growth_history", base, lambda: _pairs(world, project, workers, bench.sizes.growth_pairs)
        )


def exhausted(bench: Bench) -> dict[str, Any]:
    """The answer "nothing left" beside a claim: when others took everything, and when one did everything oneself.

    The figure is the larger ratio of the two, for those who have asked before; `growth_exhausted_first` is for a first
    answer beside a first claim.
    """
    sizes = bench.sizes
    asks = max(1, sizes.growth_pairs // WORKERS) * WORKERS
    ratios: dict[str, list[float]] = {"taken": [], "done": [], "first": []}
    with bench.world() as world:
        owner = _ready(world)
        # One who did all of it, with places left for others; and the same with a long past.
        own = world.project(owner, sizes.past, places=2)
        workers = world.users(WORKERS)
        bench.say(f"growth_exhausted: {WORKERS} workers who did {sizes.past:,} tasks each")
        for turn in range(0, WORKERS, 2):
            for worker in workers[turn : turn + 2]:
                world.past(own, worker, [(0, own.tasks)])
            world.run(
                "INSERT INTO projects_opentask (project_id, position, task_id, free) SELECT project_id, position, id, 2"
                " FROM projects_task WHERE project_id = %s ON CONFLICT (project_id, position) DO UPDATE SET free = 2",
                [own.id],
            )
        world.settle()
        for turn in range(sizes.growth_rounds):
            # New workers may hold ten tasks: the first claim of each apart, then nine that count as normal ones.
            news = world.users(max(WORKERS, asks // 9 // WORKERS * WORKERS))
            fresh = world.project(owner, max(sizes.tasks, len(news) * 10))
            taken = world.project(owner, sizes.tasks)
            world.run("DELETE FROM projects_opentask WHERE project_id = %s", [taken.id])
            first = _claims(world, fresh, news, len(news))
            normal = _claims(world, fresh, news, len(news) * 9)
            askers = world.users(len(news))
            first_refused = _claims(world, taken, askers, len(news))
            refused = _claims(world, taken, askers, asks)
            done = _claims(world, own, workers, asks)
            ratios["first"].append(first_refused.ms / first.ms)
            ratios["taken"].append(refused.ms / normal.ms)
            ratios["done"].append(done.ms / normal.ms)
            told = {"claim": normal, "taken": refused, "done": done, "first claim": first, "refusal": first_refused}
            parts = ", ".join(f"{name} {each.app_ms:.2f} + {each.database_ms:.2f}" for name, each in told.items())
            bench.say(f"growth_exhausted, round {turn + 1} of {sizes.growth_rounds}: {parts} ms")
    return {
        "growth_exhausted": max(middle(ratios["taken"]), middle(ratios["done"])),
        "growth_exhausted_taken": middle(ratios["taken"]),
        "growth_exhausted_done": middle(ratios["done"]),
        "growth_exhausted_first": middle(ratios["first"]),
    }


def _ready(world: World) -> User:
    """A requester; the web processes warm."""
    warm_up(world)
    (owner,) = world.users(1)
    return owner


def _pairs(world: World, project: Project, workers: list[User], count: int) -> Cost:
    connections = [[worker.token] for worker in workers]
    cost = cost_of(world.stack, lambda: drive(world.stack.url, "pair", connections, count, project=project.id))
    if cost.load["refused"]:
        raise RuntimeError(f"{project.id} was to have more tasks than are claimed.")
    return cost


def _claims(world: World, project: Project, workers: list[User], count: int) -> Cost:
    """Claims alone, by all workers in turn, over WORKERS connections."""
    connections = [[worker.token for worker in workers[turn::WORKERS]] for turn in range(WORKERS)]
    return cost_of(world.stack, lambda: drive(world.stack.url, "claim", connections, count, project=project.id))


def _compare(bench: Bench, name: str, base: World, there: Callable[[], Cost]) -> dict[str, Any]:
    """The median ratio of `there` to new workers in a new project of 10,000 tasks, measured in turns."""
    sizes = bench.sizes
    (owner,) = base.users(1)
    ratios, database_ratios, costs = [], [], []
    for turn in range(sizes.growth_rounds):
        project = base.project(owner, max(sizes.tasks, sizes.growth_pairs * 2))
        base.settle()
        workers = base.users(WORKERS)
        here, other = None, None
        # Who goes first changes, so that a drift of the machine favours neither.
        for which in ("here", "there") if turn % 2 else ("there", "here"):
            if which == "here":
                here = _pairs(base, project, workers, sizes.growth_pairs)
            else:
                other = there()
        assert here is not None
        assert other is not None
        ratios.append(other.ms / here.ms)
        database_ratios.append(other.database_ms / here.database_ms)
        costs.append(other)
        bench.say(
            f"{name}, round {turn + 1} of {sizes.growth_rounds}: {here.app_ms:.2f} + {here.database_ms:.2f} ms"
            f" → {other.app_ms:.2f} + {other.database_ms:.2f} ms"
        )
    return {
        name: middle(ratios),
        f"{name}_db": middle(database_ratios),
        f"{name}_pair_ms": middle([each.ms for each in costs]),
        f"{name}_pair_db_ms": middle([each.database_ms for each in costs]),
    }
