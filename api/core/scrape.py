"""`/metrics`: of every web node and, where `METRICS_PORT` is set, of every jobs process. The gateway has its own."""

import os
import threading
from collections.abc import Callable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from api.core import metrics
from api.core.problems import not_found

PATH = "/metrics"


def text() -> bytes:
    """All numbers of this node, in the text format of Prometheus."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(metrics.registry)
    together = CollectorRegistry()
    MultiProcessCollector(together)
    together.register(metrics.shared)  # type: ignore[arg-type]
    return generate_latest(together)


def page(request: HttpRequest) -> HttpResponse:
    """Not a route: it is answered before the host's name is looked at, since scrapers ask nodes by their address."""
    if not metrics.may_read(request.META) or request.method != "GET":
        return not_found(request)
    return HttpResponse(text(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def serve(host: str, port: int) -> None:
    """Answer at `PATH` in a thread of its own; for processes that serve nothing else."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        if environ["PATH_INFO"] != PATH or not metrics.may_read(environ):
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"Not found.\n"]
        close_old_connections()
        start("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [text()]

    server = make_server(host, port, application, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
