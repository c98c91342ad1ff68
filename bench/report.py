"""`RESULTS.md`: the figures beside what they are to reach, what is beside them, and what limits the pairs."""

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

LONG = ("profile", "replay", "lists")
"""Keys whose values are no single number."""


def machine() -> str:
    """What the figures were measured on."""
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{os.cpu_count()} cores ({model}), {psutil.virtual_memory().total / 2**30:.0f} GB"


def _most(limit: float) -> Callable[[float], bool]:
    return lambda value: value <= limit


def _least(limit: float) -> Callable[[float], bool]:
    return lambda value: value >= limit


# Figure, what to reach, key, unit, test, how it is measured.
ROWS: tuple[tuple[str, str, str, str, Callable[[float], bool], str], ...] = (
    ("CPU per claim + submit pair, application and database", "≤ 3 ms", "pair_cpu_ms", "ms", _most(3), "pairs"),
    ("… of it database", "≤ 1.2 ms", "pair_db_ms", "ms", _most(1.2), "pairs"),
    ("pairs a second, 8 workers, load generator on the same machine", "≥ 300", "pairs_per_s", "", _least(300), "pairs"),
    ("… as a share of what pgbench does with the same SQL", "≥ 0.2", "pgbench_ratio", "", _least(0.2), "pairs"),
    ("a pair at 1,000,000 tasks, to one at 10,000", "≤ 1.25", "growth_1m", "×", _most(1.25), "growth"),
    ("a pair at 10,000,000 tasks", "≤ 1.25", "growth_10m", "×", _most(1.25), "growth"),
    ("a pair of a worker with 100,000 past assignments", "≤ 1.25", "growth_history", "×", _most(1.25), "growth"),
    ("the answer “nothing left”, to a claim", "≤ 1.25", "growth_exhausted", "×", _most(1.25), "growth"),
    ("import of 1,000,000 tasks, rows a second", "≥ 20,000", "import_rows_per_s", "", _least(20_000), "imports_http"),
    ("… the server's size", "< 400 MB", "import_rss_mb", "MB", _most(400), "imports_http"),
    ("export of 1,000,000 answers, rows a second", "≥ 20,000", "export_rows_per_s", "", _least(20_000), "exports"),
    ("… the server's size", "< 400 MB", "export_rss_mb", "MB", _most(400), "exports"),
    ("… the first byte", "< 1 s", "export_first_byte_s", "s", _most(1), "exports"),
    ("feed and project lists, queries", "≤ 6", "feed_queries", "", _most(6), "lists"),
    ("… CPU", "≤ 15 ms", "feed_cpu_ms", "ms", _most(15), "lists"),
    ("router and token, CPU per read, all processes", "≤ 0.2 ms", "router_cpu_ms", "ms", _most(0.2), "replicas"),
    ("requests failed in a rolling restart under load", "0", "rolling_failed", "", _most(0), "nodes"),
    ("nginx and nodes over direct gunicorn, CPU per request", "≤ 0.1 more", "nginx_overhead", "", _most(0.1), "nodes"),
    ("Dawid–Skene, 1,000,000 answers", "≤ 5 s", "dawid_skene_s", "s", _most(5), "aggregation"),
    ("… times as fast as crowd-kit", "≥ 5", "dawid_skene_vs_crowdkit", "×", _least(5), "aggregation"),
    ("commit to event in a socket, 1,000 sockets, p95", "≤ 100 ms", "event_p95_ms", "ms", _most(100), "sockets"),
    ("gateway with 10,000 idle sockets", "≤ 260 MB", "sockets_10k_mb", "MB", _most(260), "sockets"),
    ("one event to 5,000 sockets", "≤ 0.5 s", "fanout_5k_s", "s", _most(0.5), "sockets"),
    ("primary killed: to the next acknowledged write", "≤ 5 s", "failover_s", "s", _most(5), "failover"),
    ("primary hung: the same, and it is fenced", "≤ 15 s", "failover_hung_s", "s", _most(15), "failover"),
)


def page(results: dict[str, Any]) -> str:
    parts = [
        "# What was measured",
        "",
        f"Commit `{results['commit']}`, {results['date']}, on {results['machine']}. `make bench` measures it again and"
        " writes this page; [README.md](README.md) says how.",
        "",
        "| figure | to reach | reached | | measured by |",
        "|---|---|---|---|---|",
        *(_row(results, *row) for row in ROWS),
        "",
        *_pairs(results),
        *_growth(results),
        *_lists(results),
        *_replay(results),
        *_limit(results),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _row(
    results: dict[str, Any], figure: str, wanted: str, key: str, unit: str, good: Callable[[float], bool], by: str
) -> str:
    value = results.get(key)
    if value is None:
        return f"| {figure} | {wanted} | not measured | | [{by}.py]({by}.py) |"
    return (
        f"| {figure} | {wanted} | {number(value)}{' ' if unit else ''}{unit} | {'✓' if good(value) else '**short**'}"
        f" | [{by}.py]({by}.py) |"
    )


def number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _pairs(results: dict[str, Any]) -> list[str]:
    if "pair_cpu_ms_with_keys" not in results:
        return []
    rates = results["pairs_per_s_by_way"]
    calls = results["pair_call_ms"]
    return [
        "## Pairs",
        "",
        "| way of calling | CPU per pair | pairs a second |",
        "|---|---|---|",
        f"| claim, then submit | {number(results['pair_cpu_ms'])} ms | {number(rates['plain'])} |",
        f"| the same with an Idempotency-Key each | {number(results['pair_cpu_ms_with_keys'])} ms"
        f" | {number(rates['keys'])} |",
        f"| submit takes the next task along | {number(results['pair_cpu_ms_with_next'])} ms"
        f" | {number(rates['next'])} |",
        f"| the same with keys, as the client does | {number(results['pair_cpu_ms_of_the_client'])} ms"
        f" | {number(rates['client'])} |",
        f"| pgbench, the two functions alone | {number(results['pgbench_db_ms'])} ms of database"
        f" | {number(rates['pgbench'])} |",
        "",
        f"Of the first way {number(results['pair_app_ms'])} ms are the application's and"
        f" {number(results['pair_db_ms'])} ms all of PostgreSQL's; the jobs process takes"
        f" {number(results['pair_jobs_ms'])} ms besides (progress is rolled up from events) and the load generator"
        f" {number(results['pair_load_generator_ms'])} ms. One call takes {calls['p50']} ms in the middle,"
        f" {calls['p95']} ms at the 95th and {calls['p99']} ms at the 99th percentile, with all cores busy. Every run"
        " checks that no task was given out twice, that what was acknowledged is stored, and that the ledger is right.",
        "",
    ]


def _growth(results: dict[str, Any]) -> list[str]:
    names = [name for name in ("growth_1m", "growth_10m", "growth_history") if f"{name}_db" in results]
    if not names:
        return []
    rows = [
        f"| {name} | {number(results[name])} × | {number(results[f'{name}_db'])} ×"
        f" | {number(results[f'{name}_pair_ms'])} ms |"
        for name in names
    ]
    more = []
    if "growth_exhausted_taken" in results:
        more = [
            "",
            f"“Nothing left” costs {number(results['growth_exhausted_taken'])} × a claim when others took everything,"
            f" {number(results['growth_exhausted_done'])} × when the worker did all of it (100,000 tasks); a first"
            f" “nothing left” costs {number(results['growth_exhausted_first'])} × a first claim.",
        ]
    return [
        "## Growth",
        "",
        "| figure | all CPU | database alone | a pair there |",
        "|---|---|---|---|",
        *rows,
        *more,
        "",
    ]


def _lists(results: dict[str, Any]) -> list[str]:
    if "lists" not in results:
        return []
    return [
        "## Lists, with 10,000 projects and 1,000,000 tasks",
        "",
        "| list | queries | CPU | of it database |",
        "|---|---|---|---|",
        *(
            f"| {name} | {each['queries']} | {number(each['cpu_ms'])} ms | {number(each['database_ms'])} ms |"
            for name, each in results["lists"].items()
        ),
        "",
    ]


def _replay(results: dict[str, Any]) -> list[str]:
    if "replay" not in results:
        return []
    rows = []
    for name, each in results["replay"].items():
        low, high = each["majority_range"]
        ties = f" ({each['tied_tasks']} ties: {low} to {high})" if each["tied_tasks"] else ""
        rows.append(
            f"| {name} | {each['answers']:,} | {each['skips']:,} | {each['majority']}{ties} | {each['dawid_skene']} |"
        )
    return [
        "## Answers of real people, played through the market",
        "",
        "| data | answers | skips | true by majority | true by Dawid–Skene |",
        "|---|---|---|---|---|",
        *rows,
        "",
        "All answers came out, none twice, no task over its places; every worker was paid to the cent, and nothing was"
        " left in escrow.",
        "",
    ]


def _limit(results: dict[str, Any]) -> list[str]:
    if "profile" not in results:
        return []
    profile = results["profile"]
    whole = profile["app_ms"] + profile["database_ms"]
    shares = sorted(profile["app"].items(), key=lambda item: -item[1])
    functions = profile["database_functions"]
    inside = sum(each["own_ms"] for each in functions.values())
    top = " and ".join(f"{name.split(':')[0]} ({number(ms)} ms)" for name, ms in shares[:2])
    side = "application" if profile["app_ms"] > profile["database_ms"] else "database"
    return [
        "## The next limit",
        "",
        f"CPU: with all cores busy a pair takes {number(whole)} ms of it, {number(profile['app_ms'])} ms in the"
        f" application and {number(profile['database_ms'])} ms in PostgreSQL. The {side} is"
        f" the larger part; most of the application's time is in {top}. More web nodes take more of the first;"
        " the second is the primary's alone, so it is what remains.",
        "",
        "| part of the application | ms of a pair | share |",
        "|---|---|---|",
        *(f"| {name} | {number(ms)} | {ms / profile['app_ms']:.0%} |" for name, ms in shares),
        "",
        "| function of the database | calls in a pair | own ms (by the clock) |",
        "|---|---|---|",
        *(f"| `{name}` | {number(each['calls'])} | {number(each['own_ms'])} |" for name, each in functions.items()),
        "",
        f"The functions' {number(inside)} ms are by the clock, waiting for a core included; what else the database does"
        " (tokens, keys, commits, the protocol, background writing) is the rest."
        f" A pair writes {number(profile['wal_bytes'] / 1000)} kB of WAL.",
        "",
        "The functions of the application with the most CPU of their own:",
        "",
        "| function | ms of a pair |",
        "|---|---|",
        *(f"| `{name}` | {number(ms)} |" for name, ms in list(profile["app_functions"].items())[:12]),
        "",
    ]
