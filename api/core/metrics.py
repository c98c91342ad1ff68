"""Numbers for Prometheus, which api/core/scrape.py tells.

What one process does is counted in that process; those of a web node write their numbers into files of one folder
(`PROMETHEUS_MULTIPROC_DIR`, set by config/gunicorn.conf.py), and whichever is asked adds all of them up. What the whole
installation shares, such as the queue, is read from the database when somebody asks, so each node tells the same.
"""

import hmac
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.http import HttpRequest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily

from api.core import replicas

_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LONG_SECONDS = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0)
# What was read from the database is told again for so long: several may ask, and each question counts rows.
_REMEMBERED = 5.0
_log = logging.getLogger("guildhall.metrics")
registry = CollectorRegistry()

REQUESTS = Histogram(
    "guildhall_http_request_seconds",
    "How long requests took, until the answer began",
    ["method", "route", "status"],
    registry=registry,
    buckets=_SECONDS,
)
IN_FLIGHT = Gauge(
    "guildhall_http_requests_in_flight",
    "Requests being worked on",
    registry=registry,
    multiprocess_mode="livesum",
)
REFUSED = Counter(
    "guildhall_http_refused",
    "Requests answered 503 before any work, by a node full or draining",
    ["why"],
    registry=registry,
)
CLAIMS = Counter("guildhall_claims", "Places that workers took", registry=registry)
SUBMITS = Counter("guildhall_submits", "Answers that were handed in", registry=registry)
JOBS = Histogram(
    "guildhall_job_seconds",
    "How long attempts of jobs took, by how they ended",
    ["job", "outcome"],
    registry=registry,
    buckets=_LONG_SECONDS,
)
SWEEPS = Histogram(
    "guildhall_clock_seconds", "How long rounds of clocks took", ["clock"], registry=registry, buckets=_LONG_SECONDS
)
SWEPT = Counter("guildhall_clock_done", "Things that clocks did", ["clock"], registry=registry)
FAILED_SWEEPS = Counter("guildhall_clock_failures", "Rounds of clocks that failed", ["clock"], registry=registry)

# Requests


def begin() -> None:
    IN_FLIGHT.inc()


def end(request: HttpRequest, status: int, seconds: float) -> None:
    """Count one request. On the way of every request: it is to take a few microseconds."""
    IN_FLIGHT.dec()
    match = request.resolver_match
    key = (request.method, match.route if match is not None else None, status // 100)
    child = _children.get(key)
    if child is None:
        child = _children[key] = REQUESTS.labels(_method(request.method), shown_route(key[1]), f"{key[2]}xx")
    child.observe(seconds)


_children: dict[tuple[str | None, str | None, int], Any] = {}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _method(given: str | None) -> str:
    # Anybody can invent one, and each would be a series.
    return given if given in _METHODS else "other"


def shown_route(route: str | None) -> str:
    """A route as a label: `/api/v1/tasks/{task_id}`, never an id. Pages are told by their part of the site."""
    if route is None:
        return "none"
    part = route.lstrip("^/").partition("/")[0]
    if part in ("api", "healthz", "readyz"):
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    return f"/{part}/…" if part in ("accounts", "admin", "oauth") else "client"


# What the installation shares

Numbers = float | Mapping[str, float]
_measures: dict[str, tuple[str, str | None, Callable[[], Numbers]]] = {}


def measure(name: str, help_: str, read: Callable[[], Numbers], *, by: str | None = None) -> None:
    """Have a number read from the database whenever somebody asks; with `by`, one for each value of that label."""
    _measures[name] = (help_, by, read)


def _rows(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _jobs() -> Numbers:
    found = _rows(
        "SELECT CASE status WHEN 'FAILED' THEN 'parked' WHEN 'RUNNING' THEN 'running'"
        "  ELSE CASE WHEN run_after <= now() THEN 'ready' ELSE 'waiting' END END, count(*)"
        " FROM django_tasks_database_dbtaskresult WHERE status IN ('READY', 'RUNNING', 'FAILED') GROUP BY 1"
    )
    return {"ready": 0.0, "waiting": 0.0, "running": 0.0, "parked": 0.0, **dict(found)}


def _oldest_job() -> Numbers:
    sql = "SELECT COALESCE(GREATEST(0, EXTRACT(epoch FROM now() - min(run_after))), 0)"
    return float(_rows(f"{sql} FROM django_tasks_database_dbtaskresult WHERE status = 'READY'")[0][0])


def _workers() -> Numbers:
    alive = "SELECT count(*) FROM core_jobworker WHERE seen_at > now() - %s * interval '1 second'"
    return float(_rows(alive, settings.JOBS_LEASE_SECONDS)[0][0])


def _connections() -> Numbers:
    states = "SELECT COALESCE(state, 'other'), count(*) FROM pg_stat_activity"
    found = _rows(f"{states} WHERE backend_type = 'client backend' GROUP BY 1")
    return {"active": 0.0, "idle": 0.0, "idle in transaction": 0.0, **dict(found)}


def _most_connections() -> Numbers:
    return float(_rows("SELECT current_setting('max_connections')")[0][0])


# The server tells the lag to superusers and members of pg_monitor only; for others it is NULL.
def _replica_seconds() -> Numbers:
    lag = "SELECT application_name, EXTRACT(epoch FROM COALESCE(replay_lag, '0'))"
    return dict(_rows(f"{lag} FROM pg_stat_replication WHERE state IS NOT NULL"))


def _replica_bytes() -> Numbers:
    behind = "SELECT application_name, pg_wal_lsn_diff(pg_current_wal_flush_lsn(), replay_lsn)"
    return dict(_rows(f"{behind} FROM pg_stat_replication WHERE replay_lsn IS NOT NULL"))


def _replicas() -> Numbers:
    return {alias: float(is_up) for alias, is_up in replicas.watch.known().items()}


measure("guildhall_jobs", "Jobs of the queue by state; parked ones wait for an operator", _jobs, by="state")
measure("guildhall_jobs_oldest_seconds", "For how long the first job that is due has been waiting", _oldest_job)
measure("guildhall_jobs_processes", "Processes that run jobs and show that they live", _workers)
measure("guildhall_database_connections", "Connections to the primary by state", _connections, by="state")
measure("guildhall_database_connections_max", "Connections that the primary takes at most", _most_connections)
measure("guildhall_replica_up", "Whether the process that was asked reads this replica", _replicas, by="replica")
measure(
    "guildhall_replica_lag_seconds", "How far a replica's replay is behind, in time", _replica_seconds, by="replica"
)
measure("guildhall_replica_lag_bytes", "How far a replica's replay is behind, in WAL", _replica_bytes, by="replica")


class Shared:
    """Reads what `measure` was told of, over the present thread's connection to the primary."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = -_REMEMBERED
        self._found: list[GaugeMetricFamily] = []

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self._lock:
            if time.monotonic() - self._read_at >= _REMEMBERED:
                self._found = list(self._read())
                self._read_at = time.monotonic()
            yield from self._found

    def _read(self) -> Iterator[GaugeMetricFamily]:
        up = 1.0
        for name, (help_, by, read) in _measures.items():
            family = GaugeMetricFamily(name, help_, labels=[by] if by else None)
            try:
                # A number that takes long to count is not worth what it costs.
                with transaction.atomic():
                    _rows("SELECT set_config('statement_timeout', '2s', true)")
                    found = read()
            except (DatabaseError, InterfaceError) as error:
                _log.warning("not measured", extra={"metric": name, "reason": type(error).__name__})
                if getattr(error.__cause__, "pgcode", None) is None:
                    up = 0.0
                    connection.close()
                    break
                continue
            for label, value in found.items() if isinstance(found, Mapping) else [("", found)]:
                family.add_metric([label] if by else [], float(value))
            yield family
        yield GaugeMetricFamily("guildhall_database_up", "Whether the primary answered", value=up)


shared = Shared()
registry.register(shared)  # type: ignore[arg-type]


# Who may know


def may_read(environ: Mapping[str, Any]) -> bool:
    """Who has `METRICS_TOKEN`; where there is none, who asks from this machine and not through a proxy."""
    if settings.METRICS_TOKEN:
        given = str(environ.get("HTTP_AUTHORIZATION", ""))
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    return environ.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and not _PROXIED & environ.keys()


_PROXIED = frozenset(
    f"HTTP_{name}" for name in ("X_FORWARDED_FOR", "X_FORWARDED_PROTO", "FORWARDED", "X_REAL_IP", "VIA", "X_REQUEST_ID")
)
