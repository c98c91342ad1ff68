"""Traces: spans arrive at a collector, belong together, hold no secrets; and a collector that is away stops nobody."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from django.conf import settings
from django.db import connection
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.stack import free_port
from tests.core.test_mail import Server
from tests.factories import make_token, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

PATIENCE = 40
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
GUNICORN = ("-m", "gunicorn", "config.wsgi", "-c", "config/gunicorn.conf.py")


class Collector(ThreadingHTTPServer):
    """Keeps the spans that it is sent, each as a dict."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.spans: list[dict[str, Any]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def named(self, name: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["name"] == name]


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        sent = ExportTraceServiceRequest()
        sent.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in sent.resource_spans:
            service = values(resource.resource.attributes)
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                told = values(span.attributes)
                ids = {"trace": span.trace_id.hex(), "id": span.span_id.hex(), "parent": span.parent_span_id.hex()}
                self.server.spans.append({"name": span.name, "kind": span.kind, "service": service, **ids, **told})
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


def values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    given = {"DATABASE_URL": url, "GUILDHALL_DATA": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    given |= {"OTEL_BSP_SCHEDULE_DELAY": "100", "WEB_CONCURRENCY": "1", "WEB_THREADS": "4"}
    started: list[subprocess.Popen[bytes]] = []

    def begin(*command: str, **env: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=settings.BASE_DIR, env={**os.environ, **given, **env}
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        for each in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
            each.kill()
        process.kill()
        process.wait()


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


def is_up(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/healthz", timeout=5):
        return True


def test_a_request_is_a_span_of_the_trace_that_it_came_with_and_tells_no_secret(start, collector) -> None:
    port, user = free_port(), make_user("Ana")
    url, token = f"http://127.0.0.1:{port}", make_token(user)
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "NODE_NAME": "node-7", "TRACE_DATABASE": "1"}
    start(*GUNICORN, PORT=str(port), **env)
    wait_for(lambda: is_up(url), "the node answers")
    headers = {
        "Authorization": f"Bearer {token}",
        "traceparent": f"00-{TRACE}-{PARENT}-01",
        "X-Request-ID": "request-of-ana",
    }
    answer = requests.get(f"{url}/api/v1/projects?cursor=&title=secret-title", headers=headers, timeout=10)
    assert answer.status_code in (200, 400)
    name = "GET /api/v1/projects"
    wait_for(lambda: collector.named(name), "its span arrives")
    [span] = collector.named(name)
    assert (span["trace"], span["parent"], span["kind"]) == (TRACE, PARENT, 2)
    assert span["http.response.status_code"] == answer.status_code
    assert (span["http.route"], span["guildhall.request_id"]) == ("/api/v1/projects", "request-of-ana")
    assert (span["service"]["service.name"], span["service"]["service.instance.id"]) == ("guildhall", "node-7")
    requests.get(f"{url}/api/v1/projects/01890a5d-ac96-774b-bcce-b302099a8057", headers=headers, timeout=10)
    wait_for(lambda: [each for each in collector.spans if "db.query.text" in each], "its statements arrive")
    statement = next(each for each in collector.spans if "db.query.text" in each)
    assert statement["trace"] == TRACE
    everything = repr(collector.spans)
    for secret in (token, "secret-title", str(user.pk), user.email):
        assert secret not in everything


def test_a_job_belongs_to_the_trace_of_the_request_that_left_it(start, collector) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with Server() as mail:
        threading.Thread(target=mail.serve_forever, args=(0.05,), daemon=True).start()
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail.server_address[1]),
            "SMTP_TLS": "0",
        }
        start(*GUNICORN, PORT=str(port), PUBLIC_URL=url, **env)
        start("manage.py", "jobs", **env)
        wait_for(lambda: is_up(url), "the node answers")
        visitor = requests.Session()
        page = visitor.get(f"{url}/accounts/signup/", timeout=10)
        form = {
            "csrfmiddlewaretoken": re.search('name="csrfmiddlewaretoken" value="(.*?)"', page.text)[1],
            "email": "ana@example.org",
            "name": "Ana",
            "password1": "a long word of 1 kind",
            "wants": "work",
        }
        answer = visitor.post(
            f"{url}/accounts/signup/",
            form,
            headers={"Referer": url, "traceparent": f"00-{TRACE}-{PARENT}-01"},
            timeout=10,
            allow_redirects=False,
        )
        assert answer.status_code == 302
        wait_for(lambda: collector.named("api.core.mail.send_mail"), "the job's span arrives")
        wait_for(lambda: collector.named("POST /accounts/…"), "the request's span arrives")
        [job], [request] = collector.named("api.core.mail.send_mail"), collector.named("POST /accounts/…")
        assert (job["trace"], job["parent"], job["kind"]) == (TRACE, request["id"], 5)
        assert job["guildhall.request_id"] == answer.headers["X-Request-ID"]
        assert [each["To"] for each in mail.messages] == ["ana@example.org"]
        mail.shutdown()


@pytest.mark.parametrize("collector_is", ["hanging", "gone"])
def test_a_collector_that_is_away_stops_no_request(start, collector_is) -> None:
    """Were a request or the end of the process to wait for it, it would be for a minute."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1] if collector_is == 'hanging' else free_port()}"
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_MAX_QUEUE_SIZE": "16"}
        env["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"] = "8"
        node = start(*GUNICORN, PORT=str(port), **env)
        wait_for(lambda: is_up(url), "the node answers")
        for _ in range(50):
            assert requests.get(f"{url}/api/v1/time", timeout=10).status_code == 200
        node.terminate()
        assert node.wait(timeout=15) == 0


def test_where_no_collector_is_named_nothing_of_it_is_loaded() -> None:
    """The client of Redis loads what counts, by itself; what makes and sends spans nobody does."""
    asks = "import sys, config.wsgi; print([name for name in sys.modules if name.startswith(('{}', '{}'))])"
    env = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, "-c", asks.format("opentelemetry.exporter", "opentelemetry.sdk.trace")]
    for endpoint, loaded in ((None, False), ("http://127.0.0.1:9", True)):
        given = env if endpoint is None else {**env, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        done = subprocess.run(command, cwd=settings.BASE_DIR, env=given, capture_output=True, text=True, check=True)
        assert (done.stdout.splitlines()[-1] != "[]") is loaded
