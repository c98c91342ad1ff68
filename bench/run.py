"""Measures every figure and writes `results.json` for machines and `RESULTS.md` for people.

    python -m bench.run [--quick] [--only NAME …] [--out FOLDER]

`--only` measures some and keeps the rest of what was written. `--quick` takes sizes that show only whether the bench
works; what it measures means nothing, so it writes under the data directory.
"""

import argparse
import json
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import (  # noqa: E402
    exports,
    failover,
    growth,
    imports_http,
    labels,
    lists,
    nodes,
    pairs,
    profile,
    replayed,
    replicas,
    report,
    rows,
    sockets,
)
from bench.machine import Bench, Sizes  # noqa: E402
from config.env import data_dir  # noqa: E402


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement, and the keys of `results.json` that it must give."""

    keys: tuple[str, ...]
    measure: Callable[[Bench], dict[str, Any]]


FIGURES = {
    "pairs": Figure(pairs.KEYS, pairs.measure),
    "growth_1m": Figure(("growth_1m",), growth.million),
    "growth_history": Figure(("growth_history",), growth.history),
    "growth_exhausted": Figure(("growth_exhausted",), growth.exhausted),
    "import": Figure(imports_http.KEYS, imports_http.measure),
    "export": Figure(exports.KEYS, exports.measure),
    "rows": Figure(rows.KEYS, rows.measure),
    "lists": Figure(lists.KEYS, lists.measure),
    "dawid_skene": Figure(labels.KEYS, labels.measure),
    "replay": Figure(("replay",), replayed.measure),
    "replicas": Figure(replicas.KEYS, replicas.measure),
    "nodes": Figure(nodes.KEYS, nodes.measure),
    "profile": Figure(("profile",), profile.measure),
    "sockets": Figure(sockets.KEYS, sockets.measure),
    "failover": Figure(failover.KEYS, failover.measure),
    # Last, for it takes the longest.
    "growth_10m": Figure(("growth_10m",), growth.ten_million),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=list(FIGURES), metavar="NAME", help=", ".join(FIGURES))
    parser.add_argument("--out", type=Path)
    wanted = parser.parse_args()
    out: Path = wanted.out or (data_dir() / "bench" if wanted.quick else ROOT / "bench")
    out.mkdir(parents=True, exist_ok=True)
    with Bench(Sizes.quick() if wanted.quick else Sizes(), thrifty=wanted.quick) as bench:
        failed = [name for name in wanted.only or FIGURES if not _measured(bench, name, out)]
        bench.say(f"written to {out}")
        if failed:
            bench.say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _measured(bench: Bench, name: str, out: Path) -> bool:
    """Measure one figure and write both files anew. False when it failed; the others are worth having all the same."""
    path = out / "results.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    figure = FIGURES[name]
    bench.say(f"{name} …")
    try:
        found = figure.measure(bench)
        if missing := set(figure.keys) - set(found):
            raise RuntimeError(f"{', '.join(missing)} was not measured")
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        bench.say(f"{name} failed: {error}")
        return False
    now = {"commit": _commit(), "date": datetime.now(UTC).date().isoformat()}
    results.update(_rounded(found))
    results.update(now, machine=report.machine())
    results.setdefault("measured", {})[name] = now
    path.write_text(json.dumps(results, indent=2) + "\n")
    (out / "RESULTS.md").write_text(report.page(results))
    bench.say(f"{name}: " + ", ".join(f"{key} {results[key]}" for key in figure.keys if key not in report.LONG))
    return True


def _rounded(value: Any) -> Any:
    """Floats to as many digits as can mean something."""
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    if isinstance(value, float):
        return round(value, 1) if value >= 100 else float(f"{value:.3g}")
    return value


def _commit() -> str:
    """The commit that is measured; with `-dirty` when files differ from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


if __name__ == "__main__":
    sys.exit(main())
