"""nginx as it is configured, before nodes that do as they are told: which of them runs a request, and what is heard.

A node is a thread with a real socket; what it ran is the oracle, and nginx's own log of whom it asked.
"""

import gzip
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from bench.stack import free_port
from config import nginx
from config.cluster.programs import find
from config.headers import FRAME_POLICY, page_policy

_ROOT = settings.BASE_DIR
_SIGNED_IN = {"Authorization": "Bearer t"}
_KEYED = {**_SIGNED_IN, "Idempotency-Key": "key-00000001"}


class Node:
    """A web node. `behaviour` is what it does with a request: ok, busy (503), broken (the connection dies), hung."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.behaviour = "ok"
        self.ran: list[tuple[str, str, dict[str, str], bytes]] = []
        self.release = threading.Event()
        self.body_started = threading.Event()
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                if self.path.startswith("/api/v1/projects/1/results"):
                    self.stream()
                    return
                length = int(self.headers.get("Content-Length") or 0)
                if length:
                    first = self.rfile.read(1)
                    node.body_started.set()
                    body = first + self.rfile.read(length - 1)
                else:
                    body = b""
                node.ran.append((self.command, self.path, dict(self.headers.items()), body))
                if node.behaviour == "broken":
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if node.behaviour == "hung":
                    node.release.wait(30)
                busy = node.behaviour == "busy"
                said = json.dumps({"node": node.name, "code": "full" if busy else "ok"}).encode()
                self.send_response(503 if busy else 200)
                if busy:
                    self.send_header("Retry-After", "1")
                self.send_header("Content-Length", str(len(said)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(said)

            def stream(self) -> None:
                self.send_response(200)
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(b"first\n")
                node.release.wait(30)
                self.wfile.write(b"last\n")

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.release.set()
        if self.server.fileno() >= 0:
            self.server.shutdown()
            self.server.server_close()


class Front:
    """A running nginx."""

    def __init__(self, folder: Path, nodes: list[Node], gateways: list[Node], client: Path, **options: Any) -> None:
        self.port = free_port()
        self.log = folder / "access.log"
        text = nginx.render(
            web=[f"127.0.0.1:{node.port}" for node in nodes],
            gateways=[f"127.0.0.1:{node.port}" for node in gateways],
            listen=f"127.0.0.1:{self.port}",
            client=client,
            prefix=folder,
            **{"max_connections": 2, "read_timeout": 1, **options},
        )
        (folder / "nginx.conf").write_text(text)
        command = [find("nginx"), "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        _until(lambda: _listens(self.port) or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def last_logged(self, identifier: str) -> dict[str, Any]:
        def line() -> Any:
            lines = [json.loads(each) for each in self.log.read_text().splitlines()]
            return next((each for each in lines if each["request_id"] == identifier), None)

        found: dict[str, Any] = _until(line)
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        if self.process.stderr:
            self.process.stderr.close()


def _until(condition: Callable[[], Any], patience: float = 10) -> Any:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("It did not come to be in time.")


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    (folder / "assets").mkdir()
    for name, text in {
        "index.html": f"<title>page</title>{' ' * 99}",
        "frame.html": f"<title>frame</title>{' ' * 99}",
        "favicon.svg": "<svg/>",
        "assets/app-1a2b.js": "export const text = '…'\n" * 50,
    }.items():
        (folder / name).write_text(text)
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
    return folder


@pytest.fixture
def nodes() -> Iterator[list[Node]]:
    made = [Node(name) for name in "abc"]
    yield made
    for node in made:
        node.close()


@pytest.fixture
def front(tmp_path: Path, nodes: list[Node], client: Path) -> Iterator[Front]:
    gateway = Node("gateway")
    running = Front(tmp_path, nodes, [gateway], client)
    yield running
    running.stop()
    gateway.close()


def _runs(nodes: list[Node]) -> int:
    return sum(len(node.ran) for node in nodes)


# The file that is kept


def test_the_kept_file_is_what_the_template_makes() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PUBLIC_URL", "IMPORT_MAX_BYTES")}
    made = subprocess.run(
        [sys.executable, "-m", "config.nginx"], cwd=_ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert (_ROOT / "config" / "nginx.conf").read_text() == made.stdout


def test_nginx_takes_the_kept_file_without_a_warning(tmp_path: Path) -> None:
    # Debian's places belong to root, so its own are put in their stead; the rest is the file.
    text = (_ROOT / "config" / "nginx.conf").read_text()
    for place in ("/run/nginx.pid", "/var/log/nginx/error.log", "/var/log/nginx/access.log"):
        assert place in text
        text = text.replace(place, str(tmp_path / Path(place).name))
    (tmp_path / "nginx.conf").write_text(text.replace("user www-data;\n", "").replace("listen 80;", "listen 8199;"))
    command = [find("nginx"), "-t", "-p", tmp_path, "-e", tmp_path / "error.log", "-c", tmp_path / "nginx.conf"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[" not in done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        {"web": []},
        {"web": ["10.0.0.1"]},
        {"web": ["10.0.0.1:80; } evil {"]},
        {"gateways": ["host:port"]},
        {"client": Path("/srv/a b")},
        {"include": "x;y"},
        {"max_connections": 0},
    ],
)
def test_an_argument_that_nginx_would_misread_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        nginx.render(**wrong)


# Nodes in turn


def test_nodes_are_taken_in_turn(front: Front, nodes: list[Node]) -> None:
    for _ in range(30):
        assert front.call("GET", "/api/v1/time")[0] == 200
    # Each of nginx's processes begins its own turn at the shared list, so the counts are equal.
    assert [len(node.ran) for node in nodes] == [10, 10, 10]


@pytest.mark.parametrize(
    ("method", "headers", "passed_over"),
    [
        ("GET", {}, True),
        ("POST", _KEYED, True),
        ("PUT", _KEYED, True),
        ("DELETE", _KEYED, True),
        ("POST", _SIGNED_IN, False),
        ("PUT", _SIGNED_IN, False),
        ("DELETE", _SIGNED_IN, False),
        # The application keeps no key of who is not signed in.
        ("POST", {"Idempotency-Key": "key-00000001"}, False),
    ],
)
@pytest.mark.parametrize("behaviour", ["busy", "broken", "hung"])
def test_a_node_that_fails_is_passed_over_where_that_is_safe(
    front: Front, nodes: list[Node], method: str, headers: dict[str, str], passed_over: bool, behaviour: str
) -> None:
    bad = nodes[:2]
    for node in bad:
        node.behaviour = behaviour
    heard = [front.call(method, "/api/v1/things", b"{}" if method != "GET" else None, headers) for _ in range(3)]
    statuses = sorted(status for status, _, _ in heard)
    if passed_over:
        assert statuses == [200, 200, 200]
        assert all(json.loads(body)["node"] == "c" for _, _, body in heard)
    else:
        # In turn: one good node and two bad ones, and no request ran twice.
        assert statuses == [200, *[503 if behaviour == "busy" else 502] * 2]
        assert _runs(nodes) == 3
        for status, answer, body in heard:
            if status != 200:
                assert answer["Retry-After"] == "1"
            if status == 502:
                assert json.loads(body)["code"] == "unknown_outcome"


@pytest.mark.parametrize("path", ["/oauth/token", "/accounts/login/", "/admin/login/"])
def test_a_key_does_not_make_a_page_be_posted_twice(front: Front, nodes: list[Node], path: str) -> None:
    for node in nodes:
        node.behaviour = "broken"
    status, headers, body = front.call("POST", path, b"a=b", _KEYED)
    assert (status, json.loads(body)["code"], headers["Retry-After"]) == (502, "unknown_outcome", "1")
    assert _runs(nodes) == 1


def test_a_refused_connection_is_passed_over_whatever_the_method(front: Front, nodes: list[Node]) -> None:
    for node in nodes[:2]:
        node.close()
    for method, headers in [("GET", {}), ("POST", {}), ("PATCH", {}), ("POST", _KEYED)]:
        assert front.call(method, "/api/v1/things", b"{}", headers)[0] == 200
    assert _runs(nodes) == 4


@pytest.mark.parametrize("headers", [{}, _SIGNED_IN, _KEYED])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_with_every_node_gone_nothing_was_done(
    front: Front, nodes: list[Node], method: str, headers: dict[str, str]
) -> None:
    for node in nodes:
        node.close()
    status, answer, body = front.call(method, "/api/v1/things", b"{}", {**headers, "X-Request-ID": "request-1"})
    problem = json.loads(body)
    assert (status, answer["Content-Type"], answer["Retry-After"]) == (503, "application/problem+json", "1")
    assert (problem["code"], problem["status"], problem["request_id"]) == ("unavailable", 503, "request-1")
    assert problem["type"] == "urn:guildhall:problem:unavailable"


def test_a_read_that_no_node_finishes_may_be_tried_again(front: Front, nodes: list[Node]) -> None:
    for node in nodes:
        node.behaviour = "broken"
    status, answer, body = front.call("GET", "/api/v1/things")
    assert (status, json.loads(body)["code"], answer["Retry-After"]) == (503, "unavailable", "1")
    assert _runs(nodes) == 3


def test_with_every_node_full_the_client_is_told_to_wait(front: Front, nodes: list[Node]) -> None:
    """Two requests at once for each of three nodes, and one more."""
    for node in nodes:
        node.behaviour = "hung"
    waiting = [threading.Thread(target=front.call, args=("POST", "/api/v1/slow", b"{}", _SIGNED_IN)) for _ in range(6)]
    for thread in waiting:
        thread.start()
    _until(lambda: _runs(nodes) == 6)
    assert [len(node.ran) for node in nodes] == [2, 2, 2]
    for method, headers in [("GET", {}), ("POST", _SIGNED_IN), ("POST", _KEYED)]:
        status, answer, body = front.call(method, "/api/v1/things", None, headers)
        assert (status, json.loads(body)["code"], answer["Retry-After"]) == (503, "full", "1")
    for node in nodes:
        node.release.set()
    for thread in waiting:
        thread.join(20)
    assert _runs(nodes) == 6


def test_a_busy_node_is_asked_again_at_once(front: Front, nodes: list[Node]) -> None:
    """Its 503 does not count against it, or every node would be out when they are needed most."""
    for node in nodes:
        node.behaviour = "busy"
    assert [front.call("GET", "/api/v1/things")[0] for _ in range(6)] == [503] * 6
    for node in nodes:
        node.behaviour = "ok"
    assert [front.call("GET", "/api/v1/things")[0] for _ in range(6)] == [200] * 6


# What passes through


def test_a_request_keeps_its_id_and_tells_whom_it_came_from(front: Front, nodes: list[Node]) -> None:
    given = {"X-Request-ID": "given-by-me", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https"}
    _, answer, _ = front.call("GET", "/api/v1/time?secret=1", None, {**given, "Host": "example.org:81"})
    ((_, path, seen, _),) = [each for node in nodes for each in node.ran]
    assert (path, seen["Host"]) == ("/api/v1/time?secret=1", "example.org:81")
    assert (seen["X-Request-ID"], answer["X-Request-ID"]) == ("given-by-me", "given-by-me")
    assert seen["X-Forwarded-For"] == "1.2.3.4, 127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "http"
    line = front.last_logged("given-by-me")
    assert (line["path"], line["status"], line["node_status"]) == ("/api/v1/time", 200, "200")
    assert "secret" not in front.log.read_text()


def test_an_ill_formed_id_is_replaced(front: Front, nodes: list[Node]) -> None:
    _, answer, _ = front.call("GET", "/api/v1/time", None, {"X-Request-ID": 'x"y'})
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"] or "")


def test_keys_of_links_are_not_logged(front: Front) -> None:
    front.call("GET", "/accounts/confirm-email/MTpzZWNyZXQ/", None, {"X-Request-ID": "of-a-link"})
    assert front.last_logged("of-a-link")["path"] == "/accounts/confirm-email/..."
    assert "MTpzZWNyZXQ" not in front.log.read_text()


def test_a_body_too_large_is_a_problem_document(front: Front, nodes: list[Node]) -> None:
    status, answer, body = front.call("POST", "/api/v1/things", b"x" * 1_048_577, _KEYED)
    assert (status, answer["Content-Type"], json.loads(body)["code"]) == (413, "application/problem+json", "too_large")
    assert front.call("POST", "/api/v1/things", b"x" * 1_048_576, _KEYED)[0] == 200
    assert _runs(nodes) == 1


def test_an_import_reaches_its_node_while_it_is_sent(front: Front, nodes: list[Node]) -> None:
    size = 3_000_000
    with socket.create_connection(("127.0.0.1", front.port), timeout=20) as sock:
        head = f"POST /api/v1/projects/1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
        sock.sendall(head.encode() + b"x" * 1000)
        _until(lambda: any(node.body_started.is_set() for node in nodes))
        sock.sendall(b"x" * (size - 1000))
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")
    assert [len(body) for node in nodes for _, _, _, body in node.ran] == [size]


def test_an_export_reaches_the_client_while_it_is_made(front: Front, nodes: list[Node]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=20)
    connection.request("GET", "/api/v1/projects/1/results")
    answer = connection.getresponse()
    assert answer.readline() == b"first\n"
    for node in nodes:
        node.release.set()
    assert answer.read() == b"last\n"
    connection.close()


def test_the_socket_goes_to_a_gateway_with_its_upgrade(tmp_path: Path, nodes: list[Node], client: Path) -> None:
    gateways = [Node("g1"), Node("g2")]
    front = Front(tmp_path, nodes, gateways, client)
    try:
        for _ in range(4):
            front.call("GET", "/ws", None, {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": "https://x.org"})
    finally:
        front.stop()
        for gateway in gateways:
            gateway.close()
    assert [len(each.ran) for each in gateways] == [2, 2]
    _, _, seen, _ = gateways[0].ran[0]
    assert (seen["Upgrade"], seen["Connection"], seen["Origin"]) == ("websocket", "upgrade", "https://x.org")
    assert _runs(nodes) == 0


def test_metrics_are_nobodys_business(front: Front, nodes: list[Node]) -> None:
    assert front.call("GET", "/metrics")[0] == 404
    assert _runs(nodes) == 0


# The client's files


@pytest.mark.parametrize("path", ["/", "/feed", "/projects/019a/review", "/index.html"])
def test_every_address_of_the_client_is_its_page(front: Front, nodes: list[Node], path: str) -> None:
    status, answer, body = front.call("GET", path)
    assert (status, body.strip()) == (200, b"<title>page</title>")
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    assert answer["Content-Security-Policy"] == page_policy()
    assert answer["X-Frame-Options"] == "DENY"
    assert _runs(nodes) == 0


def test_the_sandboxed_frame_has_its_own_policy(front: Front) -> None:
    _, answer, _ = front.call("GET", "/frame.html")
    assert answer["Content-Security-Policy"] == FRAME_POLICY
    assert answer["X-Frame-Options"] is None


def test_what_carries_its_hash_is_kept_and_comes_compressed(front: Front, client: Path) -> None:
    _, answer, body = front.call("GET", "/assets/app-1a2b.js", None, {"Accept-Encoding": "gzip"})
    assert (answer["Content-Encoding"], answer["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(body) == (client / "assets" / "app-1a2b.js").read_bytes()
    assert answer["Cache-Control"] == "max-age=315360000, public, immutable"
    assert front.call("GET", "/assets/app-1a2b.js")[2] == (client / "assets" / "app-1a2b.js").read_bytes()


@pytest.mark.parametrize("path", ["/assets/gone.js", "/nothing.txt", "/assets", "/assets/", "/ws/x.js"])
def test_what_looks_like_a_file_and_is_none_is_not_found(front: Front, path: str) -> None:
    status, answer, body = front.call("GET", path)
    assert (status, answer["Content-Type"], json.loads(body)["code"]) == (404, "application/problem+json", "not_found")


_OF_THE_CONNECTION = {"server", "date", "connection", "etag", "last-modified", "x-request-id", "accept-ranges"}


@pytest.mark.processes
def test_the_headers_are_those_that_a_node_gives_the_same_files(front: Front, client: Path, tmp_path: Path) -> None:
    port = free_port()
    env = {
        **os.environ,
        "GUILDHALL_MODE": "production",
        "SECRET_KEY": "of this test alone, and long enough",
        "ALLOWED_HOSTS": "127.0.0.1",
        "GUILDHALL_DATA": str(tmp_path),
        "CLIENT_DIST": str(client),
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "-c", "config/gunicorn.conf.py"]
    process = subprocess.Popen(command, cwd=_ROOT, env=env)
    try:
        _until(lambda: _listens(port), 60)
        for encoding in ("identity", "gzip"):
            for path in ("/", "/frame.html", "/assets/app-1a2b.js"):
                answers = []
                for each in (front.port, port):
                    connection = http.client.HTTPConnection("127.0.0.1", each, timeout=60)
                    connection.request("GET", path, headers={"Accept-Encoding": encoding})
                    answer = connection.getresponse()
                    headers = {name.lower(): value.replace('"', "") for name, value in answer.getheaders()}
                    told = {name: value for name, value in headers.items() if name not in _OF_THE_CONNECTION}
                    answers.append((answer.status, answer.read(), told))
                    connection.close()
                assert answers[0] == answers[1], path
    finally:
        process.terminate()
        process.wait(40)
