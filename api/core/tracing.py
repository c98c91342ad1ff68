"""Traces for OpenTelemetry, where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector; elsewhere none of it is imported.

A request is a span, and so is a job, as part of the trace of the request that left it for later; with
`TRACE_DATABASE=1` each statement is one too. Spans are sent in batches by a thread, and dropped when the collector
is away or slow: no request waits for it. A span holds the request id, which leads to the log line, and neither who the
user is nor anything that was sent.

The other variables of the OpenTelemetry specification work as well: `OTEL_TRACES_SAMPLER`, `OTEL_EXPORTER_OTLP_HEADERS`
and so on.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

from api.core import context
from api.core.metrics import shown_route

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

# Seconds for one batch; a process that ends waits for its last batches that long.
_TIMEOUT = 2.0
_SQL = 2_000


@cache
def _tracer() -> Tracer:
    return _provider().get_tracer("guildhall")


@cache
def _provider() -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    given = {"service.instance.id": settings.NODE_NAME}
    if not _is_named():
        given["service.name"] = "guildhall"
    provider = TracerProvider(resource=Resource.create(given), shutdown_on_exit=False)
    timeout = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in os.environ else _TIMEOUT
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=timeout)))
    atexit.register(provider.shutdown)
    return provider


def _is_named() -> bool:
    return "OTEL_SERVICE_NAME" in os.environ or "service.name" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")


def carried() -> dict[str, str]:
    """What a job takes along, so that its span belongs to the trace of who left it."""
    told: dict[str, str] = {}
    if settings.TRACES:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(told)
    return told


def job(name: str, carried: dict[str, str]) -> AbstractContextManager[Any]:
    """The span of one attempt of a job. An attempt that raises through it is marked as failed."""
    return _job(name, carried) if settings.TRACES else nullcontext()


@contextmanager
def _job(name: str, carried: dict[str, str]) -> Iterator[None]:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    parent = TraceContextTextMapPropagator().extract(carried)
    attributes = {"guildhall.job_id": context.job_id.get(), "guildhall.request_id": context.request_id.get()}
    with (
        _tracer().start_as_current_span(name, parent, kind=SpanKind.CONSUMER, attributes=attributes),
        _statements(),
    ):
        yield


class Spans:
    """Middleware, in the chain only where traces are wanted: a span for each request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self.get_response = get_response
        # Now, and not when the first request comes: loading it takes a while.
        self._tracer = _tracer()
        self._propagator = TraceContextTextMapPropagator()
        self._kind = SpanKind.SERVER
        self._error = StatusCode.ERROR

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # From the proxy, or from a program that traces its own calls.
        given = {name: request.META.get(f"HTTP_{name.upper()}", "") for name in ("traceparent", "tracestate")}
        parent = self._propagator.extract({name: value for name, value in given.items() if value})
        method = request.method or ""
        with self._tracer.start_as_current_span(method, parent, kind=self._kind) as span, _statements():
            response = self.get_response(request)
            if span.is_recording():
                match = request.resolver_match
                route = shown_route(match.route if match is not None else None)
                span.update_name(f"{method} {route}")
                span.set_attributes(
                    {
                        "http.request.method": method,
                        "http.route": route,
                        "http.response.status_code": response.status_code,
                        "guildhall.request_id": context.request_id.get(),
                    }
                )
                if response.status_code >= 500:
                    span.set_status(self._error)
            return response


def _statements() -> AbstractContextManager[Any]:
    """Spans for the statements of Django's cursors; those few that are prepared go past them."""
    return connection.execute_wrapper(_statement) if settings.TRACE_DATABASE else nullcontext()


def _statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, told: dict[str, Any]) -> Any:
    from opentelemetry.trace import SpanKind

    # Without its parameters, which are what people sent.
    attributes = {"db.system.name": "postgresql", "db.query.text": str(sql)[:_SQL]}
    name = str(sql).lstrip("( \n").partition(" ")[0][:20].upper() or "SQL"
    with _tracer().start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes):
        return execute(sql, params, many, told)
