"""`/metrics`: what is counted, for whom, and by all processes of a node together."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from api.core import metrics, queue
from api.core.models import Job
from api.projects import services as projects
from api.work import services as work
from bench.stack import free_port
from tests.core import errands
from tests.factories import make_user
from tests.projects.build import published

DASHBOARD = settings.BASE_DIR / "config" / "grafana" / "guildhall.json"
PATIENCE = 40


@pytest.fixture(autouse=True)
def _read_anew(monkeypatch) -> None:
    monkeypatch.setattr(metrics, "_REMEMBERED", 0.0)


def numbers(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def number(text: str, name: str, **labels: str) -> float | None:
    return numbers(text).get((name, tuple(sorted(labels.items()))))


def told(client: Client) -> str:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    return response.content.decode()


@pytest.mark.parametrize(
    ("route", "shown"),
    [
        ("api/v1/tasks/<uuid:task_id>/claim", "/api/v1/tasks/{task_id}/claim"),
        ("api/v1/me", "/api/v1/me"),
        ("readyz", "/readyz"),
        ("^accounts/password/reset/key/(?P<key>.+)/$", "/accounts/…"),
        ("accounts/login/", "/accounts/…"),
        ("admin/core/job/<path:object_id>/change/", "/admin/…"),
        ("oauth/token", "/oauth/…"),
        (r"^(?!(?:api|oauth)(?:/|$)).*$", "client"),
        (None, "none"),
    ],
)
def test_a_route_is_told_without_ids_and_keys(route, shown) -> None:
    assert metrics.shown_route(route) == shown


def test_requests_are_counted_by_method_route_and_status(api, make_user, client) -> None:
    labels = {"method": "GET", "route": "/api/v1/projects/{project_id}", "status": "4xx"}

    def count(**more: str) -> float:
        return number(told(client), "guildhall_http_request_seconds_count", **{**labels, **more}) or 0.0

    before = count()
    for _ in range(3):
        api(make_user("Ana")).get("/api/v1/projects/01890a5d-ac96-774b-bcce-b302099a8057")
    assert count() - before == 3
    # Not one series for each path or word that somebody makes up.
    lines = len(told(client).splitlines())
    for path in ("/api/v1/nothing", "/api/v1/nothing-else"):
        client.generic("INVENTED", path)
        client.generic("INVENTED2", path)
    assert number(told(client), "guildhall_http_request_seconds_count", method="other", route="none", status="4xx") >= 4
    assert len(told(client).splitlines()) - lines < 20
    assert number(told(client), "guildhall_http_requests_in_flight") == 0


def test_claims_and_submits_are_counted(client, make_user) -> None:
    project = published(make_user("Owner"), money=1000, tasks=2)
    worker = make_user("Worker")
    before = told(client)
    claim = work.claim_next(worker_id=worker.id, project_id=project.id)
    work.submit_answer(assignment_id=claim.id, worker_id=worker.id, answer={"label": "1"})
    after = told(client)
    for name in ("guildhall_claims_total", "guildhall_submits_total"):
        assert number(after, name) - number(before, name) == 1


def test_the_queue_is_told_by_state(client, db) -> None:
    def states() -> dict[str, float]:
        text = told(client)
        found = {
            state: number(text, "guildhall_jobs", state=state) for state in ("ready", "waiting", "running", "parked")
        }
        return {**found, "oldest": number(text, "guildhall_jobs_oldest_seconds")}

    nothing = dict.fromkeys(("ready", "waiting", "running", "parked", "oldest"), 0.0)
    assert states() == nothing
    with transaction.atomic():
        for task in (errands.note, errands.note, errands.note, errands.leave):
            task.enqueue("01890a5d-ac96-774b-bcce-b302099a8057")
    first, second, third, last = Job.objects.order_by("id")
    Job.objects.filter(id=first.id).update(run_after=timezone.now() - timedelta(minutes=2))
    Job.objects.filter(id=second.id).update(run_after=timezone.now() + timedelta(minutes=2))
    Job.objects.filter(id=third.id).update(status="RUNNING")
    Job.objects.filter(id=last.id).update(status="FAILED")
    found = states()
    assert 119 < found.pop("oldest") < 200
    assert found == {"ready": 1, "waiting": 1, "running": 1, "parked": 1}
    assert number(told(client), "guildhall_jobs_processes") == 0
    queue.Worker().beat()
    assert number(told(client), "guildhall_jobs_processes") == 1


@pytest.mark.django_db(transaction=True)
def test_progress_is_behind_until_it_is_rolled_up(client) -> None:
    while projects.roll_up():
        pass
    assert number(told(client), "guildhall_rollup_lag_seconds") == 0
    project = published(make_user("Owner"), money=1000, tasks=2)
    work.claim_next(worker_id=make_user("Worker").id, project_id=project.id)
    assert number(told(client), "guildhall_rollup_lag_seconds") > 0
    projects.roll_up()
    assert number(told(client), "guildhall_rollup_lag_seconds") == 0


def test_connections_are_told(client, db) -> None:
    text = told(client)
    assert number(text, "guildhall_database_up") == 1
    assert number(text, "guildhall_database_connections", state="active") >= 1
    assert number(text, "guildhall_database_connections_max") >= 10


# Who may read them.


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_FORWARDED": "for=127.0.0.1"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_X_REAL_IP": "127.0.0.1"},
        {"HTTP_VIA": "1.1 vegur"},
        {"HTTP_X_REQUEST_ID": "made-by-nginx"},
    ],
)
def test_without_a_token_only_this_machine_reads_them_and_only_directly(client, db, environ) -> None:
    assert client.get("/metrics").status_code == 200
    refused = client.get("/metrics", **environ)
    assert refused.status_code == 404
    assert b"guildhall_" not in refused.content


def test_with_a_token_whoever_has_it_reads_them_and_nobody_else(client, db, settings) -> None:
    settings.METRICS_TOKEN = "the-token-of-prometheus"
    for wrong in ("", "Bearer", "Bearer the-token-of-prometheuz", "the-token-of-prometheus", "Bearer schlüssel"):
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 404
    right = {"Authorization": "Bearer the-token-of-prometheus"}
    assert client.get("/metrics", headers=right, REMOTE_ADDR="10.0.0.7").status_code == 200
    assert client.get("/metrics", headers={**right, "Host": "10.0.0.3:8000"}).status_code == 200
    assert client.post("/metrics", headers=right).status_code == 404


# Of real processes.

processes = pytest.mark.processes


@pytest.fixture
def start(transactional_db, tmp_path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """`start(*command, **env)` starts a process on the database of this test, with a data folder of its own."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    given = {"DATABASE_URL": url, "GUILDHALL_DATA": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    started: list[subprocess.Popen[bytes]] = []

    def begin(*command: str, **env: str) -> subprocess.Popen[bytes]:
        started.append(
            subprocess.Popen([sys.executable, *command], cwd=settings.BASE_DIR, env={**os.environ, **given, **env})
        )
        return started[-1]

    yield begin
    for process in started:
        for each in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
            each.kill()
        process.kill()
        process.wait()


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def wait_for(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if happened():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.1)


GUNICORN = ("-m", "gunicorn", "config.wsgi", "-c", "config/gunicorn.conf.py")


@processes
def test_a_node_tells_what_all_its_processes_counted_and_begins_anew_with_the_next_start(start) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {"PORT": str(port), "WEB_CONCURRENCY": "2", "WEB_THREADS": "2"}

    def count() -> float:
        text = fetch(f"{url}/metrics")
        labels = {"method": "GET", "route": "/api/v1/time", "status": "2xx"}
        return number(text, "guildhall_http_request_seconds_count", **labels) or 0

    node = start(*GUNICORN, **env)
    wait_for(lambda: fetch(f"{url}/healthz"), "the node answers")

    def ask(times: int) -> None:
        for _ in range(times):
            fetch(f"{url}/api/v1/time")

    ask(40)
    assert [count() for _ in range(6)] == [40] * 6
    workers = psutil.Process(node.pid).children()
    workers[0].send_signal(signal.SIGKILL)
    wait_for(lambda: not workers[0].is_running() and len(psutil.Process(node.pid).children()) == 2, "it is replaced")
    ask(10)
    assert count() == 50
    assert number(fetch(f"{url}/metrics"), "guildhall_http_requests_in_flight") == 0
    node.terminate()
    node.wait(timeout=20)
    start(*GUNICORN, **env)
    wait_for(lambda: fetch(f"{url}/healthz"), "the next one answers")
    assert count() == 0


@processes
def test_a_node_that_is_full_says_so_and_still_tells_its_numbers(start) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    start(*GUNICORN, PORT=str(port), WEB_CONCURRENCY="1", WEB_THREADS="1")
    wait_for(lambda: fetch(f"{url}/healthz"), "the node answers")
    with ExitStack() as held:
        for _ in range(2):
            slow = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            # The rest never comes, so whoever reads it waits.
            slow.sendall(b"GET /api/v1/time HTTP/1.1\r\n")

        def is_full() -> bool:
            try:
                fetch(f"{url}/api/v1/time")
            except urllib.error.HTTPError as answer:
                return answer.code == 503
            return False

        wait_for(is_full, "the node is full")
        assert number(fetch(f"{url}/metrics"), "guildhall_http_refused_total", why="full") >= 1


@processes
def test_a_jobs_process_tells_of_its_clocks_and_jobs_where_a_port_is_named(start) -> None:
    port = free_port()
    with transaction.atomic():
        errands.note.enqueue("01890a5d-ac96-774b-bcce-b302099a8057")
    start("manage.py", "jobs", METRICS_PORT=str(port))
    url = f"http://127.0.0.1:{port}/metrics"
    job = {"job": "tests.core.errands.note", "outcome": "done"}
    wait_for(lambda: number(fetch(url), "guildhall_job_seconds_count", **job) == 1, "the job is counted")
    clock = {"clock": "api.projects.jobs.roll_up"}
    wait_for(lambda: number(fetch(url), "guildhall_clock_seconds_count", **clock), "a round of a clock is counted")
    assert number(fetch(url), "guildhall_jobs_processes") == 1
    with pytest.raises(urllib.error.HTTPError):
        fetch(f"http://127.0.0.1:{port}/")


@processes
def test_without_a_database_a_node_tells_so_and_its_own_numbers(start) -> None:
    port = free_port()
    nobody = f"postgresql://postgres@127.0.0.1:{free_port()}/nobody"
    start(*GUNICORN, PORT=str(port), WEB_CONCURRENCY="1", DATABASE_URL=nobody)
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: fetch(f"{url}/healthz"), "the node answers")
    text = fetch(f"{url}/metrics")
    assert number(text, "guildhall_database_up") == 0
    assert number(text, "guildhall_http_request_seconds_count", method="GET", route="/healthz", status="2xx") >= 1


# The dashboard.


def exported() -> set[str]:
    """The names of everything that any process tells."""
    from api.realtime.gateway import Metrics

    names = set()
    for registry in (metrics.registry, Metrics().registry):
        for family in registry.collect():
            kinds = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
            names |= {family.name + ending for ending in kinds.get(family.type, ("",))}
    return names


def test_the_dashboard_asks_for_nothing_that_is_not_told(db) -> None:
    board = json.loads(Path(DASHBOARD).read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert len(asked) > 10
    names = set(re.findall(r"\bguildhall_\w+", " ".join(asked)))
    assert names - exported() == set()
    words = ("http_request", "claims", "jobs", "replica", "sockets", "outbox")
    assert [word for word in words if not any(word in name for name in names)] == []


def test_the_page_on_metrics_names_each_and_only_those(db) -> None:
    page = (settings.BASE_DIR / "docs" / "observability.md").read_text()
    told_of = set(re.findall(r"\bguildhall_\w+", page))
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported()}
    assert told_of == families
