"""What the figures share: sizes, stacks of their own, CPU read around a load, progress, medians."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

from bench.stack import Stack, running
from bench.world import World

WORKERS = 8
"""Workers who claim and submit at the same time."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much each figure does. The defaults are those of the figures' names."""

    tasks: int = 10_000
    pair_rounds: int = 4
    pairs: int = 2_480
    growth_rounds: int = 7
    growth_pairs: int = 1_000
    million: int = 1_000_000
    ten_million: int = 10_000_000
    past: int = 100_000
    import_rows: int = 1_000_000
    import_rounds: int = 3
    export_rows: int = 1_000_000
    projects: int = 10_000
    tasks_each: int = 100
    list_requests: int = 200
    answers: int = 1_000_000
    replays: tuple[str, ...] = ("duck", "dog")
    profile_pairs: int = 4_000
    sockets: int = 10_000
    fanout: int = 5_000
    fanouts: int = 5
    listeners: int = 1_000
    events: int = 300
    node_projects: int = 1_000
    node_requests: int = 600
    node_rounds: int = 2
    replica_reads: int = 500
    replica_rounds: int = 8

    @classmethod
    def quick(cls) -> "Sizes":
        """Sizes that show whether the bench works, and nothing else."""
        return cls(
            tasks=200,
            pair_rounds=1,
            pairs=96,
            growth_rounds=1,
            growth_pairs=64,
            million=2_000,
            ten_million=4_000,
            past=240,
            import_rows=2_000,
            import_rounds=1,
            export_rows=2_000,
            projects=60,
            tasks_each=3,
            list_requests=8,
            answers=20_000,
            replays=("duck",),
            profile_pairs=96,
            sockets=200,
            fanout=100,
            fanouts=1,
            listeners=50,
            events=20,
            node_projects=10,
            node_requests=24,
            node_rounds=1,
            replica_reads=20,
            replica_rounds=2,
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds for each of what was done, and what the load said."""

    app_ms: float
    database_ms: float
    jobs_ms: float
    load: dict[str, Any]

    @property
    def ms(self) -> float:
        return self.app_ms + self.database_ms


class Bench:
    """One run: where it keeps its data, how much it does. Use it in a `with`."""

    def __init__(self, sizes: Sizes, *, thrifty: bool = False) -> None:
        """`thrifty` uses a stack for one figure after another, and starts less of it."""
        self.sizes = sizes
        self._thrifty = thrifty
        self._idle: list[World] = []
        self._started = time.monotonic()
        self._folders = TemporaryDirectory(prefix="guildhall-bench-")
        self._open = ExitStack()
        self._number = count(1)

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()
        self._folders.cleanup()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self._started:6.0f} s  {text}", flush=True)

    @contextmanager
    def world(self, **options: Any) -> Iterator[World]:
        """A new stack, as `gunicorn.conf.py` and the settings make it by themselves, and its database.

        It is gone afterwards, unless this run is thrifty.
        """
        if self._thrifty and not options.get("gateway"):
            world = self._idle.pop() if self._idle else self._open.enter_context(self._new(workers=2, jobs=False))
            yield world
            self._idle.append(world)
            return
        # A line in the log for each request, one web process more than there are cores.
        with self._new(**{"workers": (os.cpu_count() or 1) + 1, **options}) as world:
            yield world

    @contextmanager
    def _new(self, **options: Any) -> Iterator[World]:
        folders = Path(self._folders.name)
        released, data = folders / "released", folders / str(next(self._number))
        if not released.exists():
            with running(released, start=False):
                pass
        # By `cp`, which keeps owners: as root the server runs as a user of its own.
        subprocess.run(["cp", "-a", released, data], check=True)
        try:
            with (
                running(data, release=False, quiet=True, LOG_LEVEL="INFO", **options) as stack,
                World(stack) as world,
            ):
                yield world
        except BaseException:
            output = data / "output"
            lines = output.read_text(errors="replace").splitlines() if output.exists() else []
            told = [line for line in lines if '"level":"INFO"' not in line]
            self.say("\n".join(["what the processes wrote last:", *told[-30:]]))
            raise
        finally:
            shutil.rmtree(data)


def cost_of(stack: Stack, load: Callable[[], dict[str, Any]]) -> Cost:
    """Run a load; what each of what it did cost the stack."""
    before = stack.cpu()
    told = load()
    after = stack.cpu()
    done = told["done"] + told["refused"]
    if not done:
        raise RuntimeError(f"Nothing was done: {told}")
    spent = {name: (after[name] - before[name]) * 1000 / done for name in after}
    return Cost(spent["web"], spent["database"], spent["jobs"], told)


def middle(values: list[float]) -> float:
    return median(values)


class Watch:
    """Follows the size of a stack's largest web process; `peak_mb` is the most it was. Use it in a `with`."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._stop = Event()
        self._thread = Thread(target=self._follow, daemon=True)
        self.peak_mb = 0.0

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        while True:
            self.peak_mb = max(self.peak_mb, self._stack.web_rss() / 1e6)
            if self._stop.wait(0.05):
                return
