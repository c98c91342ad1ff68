"""The bench works: with sizes that mean nothing it measures, checks and writes what it promises."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from bench import report
from bench.run import FIGURES

# What the design promises to be in `results.json`, written out here a second time on purpose.
PROMISED = {
    "pair_cpu_ms",
    "pairs_per_s",
    "pgbench_ratio",
    "growth_1m",
    "growth_10m",
    "growth_history",
    "growth_exhausted",
    "import_rows_per_s",
    "import_rss_mb",
    "export_rows_per_s",
    "export_rss_mb",
    "feed_queries",
    "feed_cpu_ms",
    "rolling_failed",
    "nginx_overhead",
    "router_cpu_ms",
    "event_p95_ms",
    "sockets_10k_mb",
    "fanout_5k_s",
    "failover_s",
    "dawid_skene_s",
    "dawid_skene_vs_crowdkit",
}
# Not these: they bring programs of their own, are tested elsewhere, or differ from another in size alone.
# `replicas` is a difference of two costs, which at no size to speak of may come out as less than nothing.
APART = {"dawid_skene", "failover", "nodes", "profile", "replay", "replicas", "growth_10m"}


def test_every_promised_figure_has_its_measurement() -> None:
    measured = {key for figure in FIGURES.values() for key in figure.keys}
    assert measured >= PROMISED
    assert FIGURES.keys() >= APART


@pytest.mark.processes
def test_a_quick_run_measures_and_writes(tmp_path: Path) -> None:
    names = [name for name in FIGURES if name not in APART]
    command = [sys.executable, "-m", "bench.run", "--quick", "--out", str(tmp_path), "--only", *names]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    wanted = {key for name in names for key in FIGURES[name].keys}
    assert all(results[key] > 0 for key in wanted)
    assert results["feed_queries"] <= 6
    assert {"commit", "date"} <= results.keys()
    page = (tmp_path / "RESULTS.md").read_text()
    assert page.count("not measured") == sum(row[2] not in results for row in report.ROWS)
    assert "| pairs a second" in page
