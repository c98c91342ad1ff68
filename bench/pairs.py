"""What a claim and a submit cost, how many pairs a second one machine does, and how that compares with pgbench.

Eight workers share a project of 10,000 tasks of one place each and work it off over several rounds. The ways of
calling take turns, each on a project of its own:

    plain    claim, then submit
    keys     the same with an Idempotency-Key on both
    next     each submit takes the next task along
    client   `next` with keys: what the platform's own client does
    pgbench  work_claim and work_submit called from pgbench, as two transactions, by eight connections
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Callable
from typing import Any

import psycopg2

from bench.load import ANSWER, drive
from bench.machine import WORKERS, Bench, Cost, cost_of, middle
from bench.replay import Api
from bench.world import INTERFACE, REWARD, User, World

KEYS = ("pair_cpu_ms", "pairs_per_s", "pgbench_ratio")
WARM_UP = 800

_SCRIPT = """\
SELECT u.id AS assignment, c.code, c.task_id, c.version_id, c.reward, c.currency, c.claimed_at, c.expires_at, \
c.input::text FROM (SELECT uuidv7() AS id OFFSET 0) u, \
work_claim(u.id, ({workers})[:client_id + 1], '{project}', NULL, 10) c \\gset
SELECT code, submitted_at, auto_accept_at, late FROM \
work_submit(:assignment, ({workers})[:client_id + 1], :version_id, '{answer}', interval '2 minutes');
"""


def measure(bench: Bench) -> dict[str, Any]:
    sizes = bench.sizes
    ways: dict[str, dict[str, Any]] = {
        "plain": {"kind": "pair"},
        "keys": {"kind": "pair", "keys": True},
        "next": {"kind": "next"},
        "client": {"kind": "next", "keys": True},
    }
    with bench.world() as world:
        warm_up(world)
        owner = world.rich_user((len(ways) + 1) * sizes.tasks * REWARD)
        projects = {name: publish(world, owner, sizes.tasks) for name in (*ways, "pgbench")}
        users = {name: world.users(WORKERS) for name in projects}
        loads: dict[str, Callable[[], dict[str, Any]]] = {}
        for name, way in ways.items():
            connections = [[user.token] for user in users[name]]
            loads[name] = lambda name=name, way=way, connections=connections: drive(
                world.stack.url, way["kind"], connections, sizes.pairs,
                project=projects[name], keys=way.get("keys", False),
            )  # fmt: skip
        loads["pgbench"] = lambda: pgbench(world, projects["pgbench"], users["pgbench"], sizes.pairs)
        world.settle()
        costs: dict[str, list[Cost]] = {name: [] for name in loads}
        tasks: dict[str, list[str]] = {name: [] for name in loads}
        for turn in range(sizes.pair_rounds):
            for name, load in _turned(loads, turn):
                cost = cost_of(world.stack, load)
                costs[name].append(cost)
                tasks[name] += cost.load["tasks"]
            told = ", ".join(f"{name} {each[-1].ms:.2f} ms {_rate(each[-1]):.0f}/s" for name, each in costs.items())
            bench.say(f"pairs, round {turn + 1} of {sizes.pair_rounds}: {told}")
        for name, project in projects.items():
            _check(world, project, tasks[name], costs[name])
        world.stack.manage("audit_ledger")
    plain, rates = costs["plain"], {name: middle([_rate(each) for each in costs[name]]) for name in costs}
    return {
        "pair_cpu_ms": middle([each.ms for each in plain]),
        "pairs_per_s": rates["plain"],
        "pgbench_ratio": rates["plain"] / rates["pgbench"],
        "pair_app_ms": middle([each.app_ms for each in plain]),
        "pair_db_ms": middle([each.database_ms for each in plain]),
        "pair_jobs_ms": middle([each.jobs_ms for each in plain]),
        "pair_load_generator_ms": middle([each.load["cpu_s"] * 1000 / each.load["done"] for each in plain]),
        "pair_call_ms": {name: middle([each.load["ms"][name] for each in plain]) for name in ("p50", "p95", "p99")},
        "pair_cpu_ms_with_keys": middle([each.ms for each in costs["keys"]]),
        "pair_cpu_ms_with_next": middle([each.ms for each in costs["next"]]),
        "pair_cpu_ms_of_the_client": middle([each.ms for each in costs["client"]]),
        "pairs_per_s_by_way": rates,
        "pgbench_db_ms": middle([each.database_ms for each in costs["pgbench"]]),
    }


def publish(world: World, owner: User, tasks: int) -> str:
    """A published project of `tasks` tasks, made and paid for through the API."""
    requester = Api(world.stack.url, owner.token)
    project: str = requester.must(
        "POST",
        "/projects",
        {"title": "Pairs", "interface": INTERFACE, "reward": {"amount": REWARD, "currency": "USD"}},
    )["id"]
    rows = "image,question\n" + "".join(
        f"https://example.org/images/{n}.jpg,What is in picture {n}?\n" for n in range(tasks)
    )
    requester.must("POST", f"/projects/{project}/tasks", rows.encode(), **{"Content-Type": "text/csv"})
    requester.must("POST", f"/projects/{project}/publish")
    return project


def warm_up(world: World) -> None:
    """Let every web process import, connect, prepare its statements and compile a schema, before anything counts."""
    if world.warm:
        return
    world.warm = True
    project = publish(world, world.rich_user(WARM_UP * REWARD), WARM_UP)
    for kind, keys in (("pair", False), ("next", True)):
        workers = [[user.token] for user in world.users(WORKERS)]
        drive(world.stack.url, kind, workers, WARM_UP // 4, project=project, keys=keys)
    world.settle()


def pgbench(world: World, project: str, workers: list[User], pairs: int) -> dict[str, Any]:
    """The same pairs by pgbench. Returns what `load.drive` does, as far as pgbench knows it."""
    text = _SCRIPT.format(
        workers="ARRAY[" + ",".join(f"'{each.id}'" for each in workers) + "]::uuid[]",
        project=project,
        answer=json.dumps(ANSWER),
    )
    each = pairs // len(workers)
    place = psycopg2.extensions.parse_dsn(world.stack.database_url)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(text)
        script.flush()
        command = [
            world.stack.server.bin_path / "pgbench",
            "-n",
            "-M",
            "prepared",
            "-c",
            str(len(workers)),
            "-j",
            "2",
            "-t",
            str(each),
        ]
        command += ["-f", script.name, "-h", place["host"], "-U", place["user"], place["dbname"]]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    rate = re.search(r"^tps = ([\d.]+) \(without", done.stdout, re.MULTILINE)
    counted = re.search(r"actually processed: (\d+)", done.stdout)
    if done.returncode or rate is None or counted is None:
        raise RuntimeError(f"pgbench failed:\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}")
    count = int(counted[1])
    return {"done": count, "refused": 0, "seconds": count / float(rate[1]), "tasks": []}


def _turned(loads: dict[str, Callable[[], Any]], turn: int) -> list[tuple[str, Callable[[], Any]]]:
    items = list(loads.items())
    return items[turn % len(items) :] + items[: turn % len(items)]


def _rate(cost: Cost) -> float:
    return float(cost.load["done"] / cost.load["seconds"])


def _check(world: World, project: str, tasks: list[str], costs: list[Cost]) -> None:
    """What was acknowledged is there, and no task was given out twice."""
    done = sum(each.load["done"] for each in costs)
    if len(set(tasks)) != len(tasks):
        raise RuntimeError(f"{len(tasks) - len(set(tasks))} tasks were given out twice.")
    ((submitted, distinct),) = world.run(
        "SELECT count(*), count(DISTINCT task_id) FROM work_assignment WHERE project_id = %s AND state = 'submitted'",
        [project],
    )
    if not done == submitted == distinct:
        raise RuntimeError(f"{done} answers were acknowledged, {submitted} are stored, for {distinct} tasks.")
