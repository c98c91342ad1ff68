"""How many of each part a number of workers a day needs, reckoned from what was measured.

    python -m bench.capacity          writes the tables of docs/capacity.md anew from bench/results.json
    python -m bench.capacity --check  says whether they are as those results make them

Assumptions stand in `Habits`; everything else is a figure of `results.json`.
"""

import json
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "capacity.md"
RESULTS = ROOT / "bench" / "results.json"
SIZES = (1_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Habits:
    """What people are taken to do. Change them and run this again."""

    answers: int = 60
    """Answers of one worker on a day they work."""
    busiest_hour: float = 0.10
    """Share of a day's work that falls into its busiest hour; an even day has 0.042."""
    drafts: float = 2.0
    """Times a draft is saved for each answer."""
    reads: float = 2.0
    """Pages of lists read for each answer, by its worker and its reviewer together."""
    online: float = 0.20
    """Share of a day's workers who are connected at its busiest moment."""
    deliveries: float = 3.0
    """Frames that one answer sends to sockets."""
    busy: float = 0.60
    """How much of a core is planned for; the rest is for bursts and for a node that is down."""
    node_cores: int = 4
    days_kept: int = 365
    event_days: int = 30


@dataclass(frozen=True, slots=True)
class Need:
    """What one size needs in its busiest hour. Rates are a second, cores are of the measured kind."""

    workers: int
    answers_a_day: int
    answers: float
    app_cores: float
    primary_cores: float
    replica_cores: float
    commits: float
    sockets: int
    gateways: int
    gateway_cores: float
    nodes: int
    replicas: int
    gb_a_day: float
    tb_a_year: float


def need(workers: int, figures: dict[str, Any], habits: Habits) -> Need:
    a_day = workers * habits.answers
    rate = a_day * habits.busiest_hour / 3600
    reads = figures["read_cpu_ms"]
    read_ms = sum(reads.values()) / len(reads)
    read_db = sum(figures["read_db_ms"].values()) / len(reads)
    write_app = (
        figures["pair_cpu_ms_of_the_client"]
        - figures["pair_db_ms"]
        + (figures["accept_cpu_ms"] - figures["accept_db_ms"])
        + habits.drafts * (figures["draft_cpu_ms"] - figures["draft_db_ms"])
    )
    write_db = figures["pair_db_ms"] + figures["accept_db_ms"] + habits.drafts * figures["draft_db_ms"]
    app = rate * (write_app + habits.reads * (read_ms - read_db)) / 1000 / habits.busy
    primary = rate * write_db / 1000 / habits.busy
    replica = rate * habits.reads * read_db / 1000 / habits.busy
    sockets = math.ceil(workers * habits.online)
    fanout_ms = figures["fanout_5k_s"] * 1000 / 5000
    gateway = rate * habits.deliveries * fanout_ms / 1000 / habits.busy
    bytes_a_day = a_day * figures["answer_bytes"]
    return Need(
        workers=workers,
        answers_a_day=a_day,
        answers=rate,
        app_cores=app,
        primary_cores=primary,
        replica_cores=replica,
        commits=rate * (2 + habits.drafts + 1),
        sockets=sockets,
        gateways=max(2, math.ceil(sockets / 10_000), math.ceil(gateway)),
        gateway_cores=gateway,
        nodes=max(2, math.ceil(app / habits.node_cores)),
        replicas=max(2, math.ceil(replica / habits.node_cores)),
        gb_a_day=bytes_a_day / 1e9,
        tb_a_year=bytes_a_day * habits.days_kept / 1e12,
    )


def tables(figures: dict[str, Any], habits: Habits) -> dict[str, str]:
    """The tables of the page, by the name of their mark."""
    needs = [need(workers, figures, habits) for workers in SIZES]
    reads = figures["read_cpu_ms"]
    measured = [
        ("claim and submit by the client, with keys", f"{figures['pair_cpu_ms_of_the_client']:.2f} ms", "pairs"),
        ("… of a pair, in the database", f"{figures['pair_db_ms']:.2f} ms", "pairs"),
        ("saving a draft", f"{figures['draft_cpu_ms']:.2f} ms, database {figures['draft_db_ms']:.2f}", "rows"),
        ("accepting, among many", f"{figures['accept_cpu_ms']:.2f} ms, database {figures['accept_db_ms']:.2f}", "rows"),
        *(
            (f"reading a page: {name}", f"{ms:.2f} ms, database {figures['read_db_ms'][name]:.2f}", "rows")
            for name, ms in reads.items()
        ),
        ("bytes of an answer, all tables and indexes", f"{figures['answer_bytes']:,.0f}", "rows"),
        ("bytes of its idempotency keys, for a day", f"{figures['answer_key_bytes']:,.0f}", "rows"),
        ("one event to 5,000 sockets", f"{figures['fanout_5k_s']:.2f} s", "sockets"),
        ("10,000 sockets", f"{figures['sockets_10k_mb']:.0f} MB", "sockets"),
    ]
    rows = [
        ("answers a day", [f"{each.answers_a_day:,}" for each in needs]),
        ("answers a second in the busiest hour", [f"{each.answers:,.1f}" for each in needs]),
        ("commits a second on the primary", [f"{each.commits:,.0f}" for each in needs]),
        ("application cores", [f"{each.app_cores:.1f}" for each in needs]),
        (f"web nodes of {habits.node_cores} cores, two at least", [str(each.nodes) for each in needs]),
        ("cores of the primary", [f"{each.primary_cores:.1f}" for each in needs]),
        ("cores of all replicas", [f"{each.replica_cores:.1f}" for each in needs]),
        (f"replicas of {habits.node_cores} cores, two at least", [str(each.replicas) for each in needs]),
        ("sockets", [f"{each.sockets:,}" for each in needs]),
        ("gateways of 10,000 sockets, two at least", [str(each.gateways) for each in needs]),
        ("GB a day of rows that stay", [f"{each.gb_a_day:,.2f}" for each in needs]),
        ("TB a year", [f"{each.tb_a_year:,.2f}" for each in needs]),
    ]
    head = "| in the busiest hour | " + " | ".join(f"{size:,} workers a day" for size in SIZES) + " |"
    return {
        "measured": "\n".join(
            ["| what | cost | measured by |", "|---|---|---|"]
            + [f"| {name} | {cost} | [{by}.py](../bench/{by}.py) |" for name, cost, by in measured]
        ),
        "needs": "\n".join(
            [head, "|---|" + "---|" * len(SIZES)] + [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows]
        ),
    }


def page(text: str, figures: dict[str, Any], habits: Habits) -> str:
    """`text` with its tables made anew."""
    for name, table in tables(figures, habits).items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        if not mark.search(text):
            raise ValueError(f"The page has no mark for {name}.")
        text = mark.sub(lambda found, table=table: found[1] + table + found[2], text)  # type: ignore[misc]
    return text


def main() -> int:
    figures = json.loads(RESULTS.read_text())
    old = PAGE.read_text()
    new = page(old, figures, Habits())
    if "--check" in sys.argv[1:]:
        return int(new != old)
    PAGE.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
