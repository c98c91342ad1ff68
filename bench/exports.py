"""Taking out 1,000,000 answers, as CSV and as JSON lines: rows a second, the first byte, the server's size."""

import http.client
import time
from typing import Any
from urllib.parse import urlsplit

from bench.machine import Bench, Watch
from bench.pairs import warm_up
from bench.world import Project, World

KEYS = ("export_rows_per_s", "export_rss_mb")
WORKERS = 200


def measure(bench: Bench) -> dict[str, Any]:
    rows = bench.sizes.export_rows
    found: dict[str, tuple[float, float, float]] = {}
    with bench.world() as world:
        (owner,) = world.users(1)
        warm_up(world)
        project = world.project(owner, rows, open_tasks=False)
        each = rows // WORKERS
        for number, worker in enumerate(world.users(WORKERS)):
            world.past(project, worker, [(number * each, (number + 1) * each)])
        bench.say(f"export: {each * WORKERS:,} answers are there")
        world.settle()
        for form in ("csv", "jsonl"):
            found[form] = _download(world, project, form, each * WORKERS)
            rate, first, peak = found[form]
            bench.say(f"export, {form}: {rate:,.0f} rows a second, first byte after {first:.2f} s, {peak:.0f} MB")
    return {
        # The slower of the two forms, the later first byte, the larger size.
        "export_rows_per_s": min(rate for rate, _, _ in found.values()),
        "export_rss_mb": max(peak for _, _, peak in found.values()),
        "export_first_byte_s": max(first for _, first, _ in found.values()),
        "export_rows_per_s_by_form": {form: rate for form, (rate, _, _) in found.items()},
    }


def _download(world: World, project: Project, form: str, rows: int) -> tuple[float, float, float]:
    connection = http.client.HTTPConnection(urlsplit(world.stack.url).netloc, timeout=600)
    with Watch(world.stack) as watch:
        started = time.perf_counter()
        connection.request(
            "GET",
            f"/api/v1/projects/{project.id}/results?format={form}",
            headers={"Authorization": f"Bearer {project.owner.token}"},
        )
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(response.read().decode()[:1000])
        lines, first = 0, 0.0
        while piece := response.read1(262_144):
            first = first or time.perf_counter() - started
            lines += piece.count(b"\n")
        seconds = time.perf_counter() - started
    connection.close()
    if lines != rows + (form == "csv"):
        raise RuntimeError(f"{lines} lines of {rows} answers came.")
    return rows / seconds, first, watch.peak_mb
