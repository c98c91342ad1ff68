"""Where a pair's CPU goes: by part of the application, and by function of the database.

The load is that of `pairs`, in the platform's own client's way (the next task with the submit, Idempotency-Keys).
"""

import re
import signal
import subprocess
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.load import drive
from bench.machine import WORKERS, Bench, cost_of
from bench.pairs import warm_up
from bench.world import World
from config.env import data_dir

SAMPLER = "py-spy==0.4.3"

# What a call is charged to: the innermost frame of its stack that one of these knows.
PARTS = (
    ("SQL driver and Django's cursor", r"/psycopg2/|/django/db/|api/core/postgres/"),
    ("log line for each request", r"/logging/|/pythonjsonlogger/|api/core/logs"),
    ("bearer token", r"api/accounts/authentication|api/accounts/models"),
    ("rate limit", r"api/core/limits"),
    ("idempotency key", r"api/core/idempotency"),
    ("claim and submit themselves", r"api/work/|api/projects/|api/core/(?:http|ids|money)|/jsonschema_rs/"),
    ("Django REST framework", r"/rest_framework/|api/core/(?:views|permissions|problems|serializers)"),
    ("Django: request, URL, response, signals", r"/django/|api/core/middleware|/corsheaders/"),
    ("gunicorn", r"/gunicorn/|/concurrent/futures/|/selectors\.py|/socket\.py|/threading\.py|/queue\.py"),
)


def measure(bench: Bench) -> dict[str, Any]:
    pairs = bench.sizes.profile_pairs
    sampler = sampler_path()
    with bench.world() as world:
        (owner,) = world.users(1)
        warm_up(world)
        project = world.project(owner, pairs * 2 + 100)
        workers = [[user.token] for user in world.users(WORKERS)]
        world.settle()

        def load() -> dict[str, Any]:
            return drive(world.stack.url, "next", workers, pairs, project=project.id, keys=True)

        world.run("ALTER SYSTEM SET track_functions = 'pl'")
        world.run("SELECT pg_reload_conf()")
        wal = _wal(world)
        # First without the sampler, for the milliseconds; then with it, for the shares.
        cost = cost_of(world.stack, load)
        wal = (_wal(world) - wal) / cost.load["done"]
        functions = _functions(world, cost.load["done"])
        assert world.stack.web is not None
        stacks = _sampled(sampler, world.stack.web.pid, load)
    parts, places = _shares(stacks)
    for name, share in parts.items():
        bench.say(f"profile: {share * cost.app_ms:.3f} ms of a pair's {cost.app_ms:.2f} in {name}")
    return {
        "profile": {
            "app_ms": cost.app_ms,
            "database_ms": cost.database_ms,
            "app": {name: share * cost.app_ms for name, share in parts.items()},
            "app_functions": {name: share * cost.app_ms for name, share in places.items()},
            "database_functions": functions,
            "wal_bytes": wal,
        }
    }


def sampler_path() -> Path:
    """py-spy, in an environment of its own under the data directory, which is made on first use."""
    place = data_dir() / "py-spy"
    program = place / "bin" / "py-spy"
    if not program.exists():
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([place / "bin" / "python", "-m", "pip", "install", "--quiet", SAMPLER], check=True)
    return program


def _sampled(sampler: Path, pid: int, load: Callable[[], Any]) -> list[tuple[list[str], int]]:
    """What the web processes were doing while they had a core, during a load: stacks, innermost first, with counts."""
    with tempfile.NamedTemporaryFile(suffix=".txt") as out:
        command = [sampler, "record", "--pid", str(pid), "--subprocesses", "--rate", "250", "--full-filenames", "--gil"]
        command += ["--format", "raw", "--nolineno", "--duration", "600", "--output", out.name]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            time.sleep(1)
            if process.poll() is not None:
                raise RuntimeError(f"py-spy cannot look at the web processes: {process.communicate()[0][-500:]}")
            load()
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        found = []
        for line in Path(out.name).read_text().splitlines():
            stack, _, count = line.rpartition(" ")
            # `function (path)`, outermost first.
            frames = [re.sub(r"^(.*) \((.*)\)$", r"\2:\1", frame) for frame in stack.split(";")]
            found.append((frames[::-1], int(count)))
    return found


def _shares(stacks: list[tuple[list[str], int]]) -> tuple[dict[str, float], dict[str, float]]:
    """The share of each part, and of the twenty functions with the most CPU of their own."""
    parts: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for stack, count in stacks:
        parts[_part(stack)] += count
        places[_short(stack[0])] += count
    total = sum(parts.values()) or 1
    return (
        {name: value / total for name, value in parts.most_common()},
        {name: value / total for name, value in places.most_common(20)},
    )


def _part(stack: list[str]) -> str:
    for frame in stack:
        for name, pattern in PARTS:
            if re.search(pattern, frame):
                return name
    return "Python itself"


def _short(frame: str) -> str:
    """`path/from/the/package.py:function`."""
    return re.sub(r"^.*/(?:site-packages|python3\.\d+)/|^.*/(?=api/|config/|bench/)", "", frame)


def _functions(world: World, pairs: int) -> dict[str, dict[str, float]]:
    """For each function of the database its calls and its own milliseconds (by the clock) in a pair."""
    # Backends tell their statistics when they are idle.
    world.run("SELECT pg_sleep(1.5)")
    rows = world.run("SELECT funcname, calls, self_time FROM pg_stat_user_functions ORDER BY self_time DESC")
    return {name: {"calls": calls / pairs, "own_ms": own / pairs} for name, calls, own in rows if calls >= pairs / 100}


def _wal(world: World) -> int:
    ((position,),) = world.run("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
    return int(position)
