"""The feed and the lists of projects, with 10,000 projects of 1,000,000 tasks: queries and CPU of one request.

The figures are those of the worst of the lists; what each takes is told beside.
"""

from typing import Any

from bench.load import drive
from bench.machine import WORKERS, Bench, cost_of
from bench.pairs import warm_up
from bench.world import User, World

KEYS = ("feed_queries", "feed_cpu_ms")


def measure(bench: Bench) -> dict[str, Any]:
    sizes = bench.sizes
    # Without the jobs process, whose queries would be counted too.
    with bench.world(jobs=False) as world:
        (owner,) = world.users(1)
        projects = world.projects(owner, sizes.projects, sizes.tasks_each)
        worker, *_ = workers = world.users(WORKERS)
        # One who has worked in some, finished others and hidden a few.
        for number, project in enumerate(projects[:: max(1, sizes.projects // 40)]):
            world.past(project, worker, [(0, sizes.tasks_each if number % 4 == 0 else sizes.tasks_each // 3 or 1)])
        world.run(
            "INSERT INTO work_hidden (worker_id, project_id) SELECT %s, unnest(%s::uuid[])",
            [worker.id, [project.id for project in projects[1 :: max(2, sizes.projects // 20)]]],
        )
        warm_up(world)
        world.settle()
        bench.say(f"lists: {sizes.projects:,} projects with {sizes.projects * sizes.tasks_each:,} tasks are there")
        lists = {
            "feed": (worker, "/feed"),
            "feed by wage": (worker, "/feed?sort=wage"),
            "feed by reward": (worker, "/feed?sort=reward"),
            "feed by places left": (worker, "/feed?sort=left"),
            "feed of a keyword": (worker, "/feed?keyword=kind3"),
            "feed of a search": (worker, "/feed?q=bench+77"),
            "feed of a new worker": (workers[-1], "/feed"),
            "projects": (owner, "/projects"),
            "projects of a state": (owner, "/projects?state=published"),
            "projects of a search": (owner, "/projects?q=bench+77"),
        }
        found = {}
        for name, (user, path) in lists.items():
            queries = _queries(world, user, path)
            cost = _cost(world, user, path, sizes.list_requests)
            found[name] = {"queries": queries, "cpu_ms": cost.ms, "database_ms": cost.database_ms}
            bench.say(f"lists, {name}: {queries} queries, {cost.ms:.1f} ms, of it database {cost.database_ms:.1f}")
    return {
        "feed_queries": max(each["queries"] for each in found.values()),
        "feed_cpu_ms": max(each["cpu_ms"] for each in found.values()),
        "lists": found,
    }


def _cost(world: World, user: User, path: str, count: int) -> Any:
    connections = [[user.token]] * 2
    paths = [f"/api/v1{path}"]
    drive(world.stack.url, "get", connections, 8, paths=paths)
    return cost_of(world.stack, lambda: drive(world.stack.url, "get", connections, count, paths=paths))


def _queries(world: World, user: User, path: str, count: int = 20) -> int:
    """Statements that the server ran for one request, from its own log."""
    log = world.stack.data / "postgres" / "log"
    world.run("ALTER SYSTEM SET log_statement = 'all'")
    world.run("SELECT pg_reload_conf()")
    try:
        # Backends take the new configuration between statements: what they do first may not be written yet.
        drive(world.stack.url, "get", [[user.token]] * 8, 48, paths=["/api/v1/time"])
        drive(world.stack.url, "get", [[user.token]], 2, paths=[f"/api/v1{path}"])
        start = log.stat().st_size
        drive(world.stack.url, "get", [[user.token]], count, paths=[f"/api/v1{path}"])
        with log.open() as file:
            file.seek(start)
            lines = [line for line in file if "LOG:  statement:" in line or "LOG:  execute" in line]
    finally:
        world.run("ALTER SYSTEM RESET log_statement")
        world.run("SELECT pg_reload_conf()")
    statements = [line for line in lines if "pg_reload_conf" not in line and "ALTER SYSTEM" not in line]
    return round(len(statements) / count)
