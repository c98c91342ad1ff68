"""Middleware: a short chain for the API, a longer one for pages."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any, ClassVar

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from api.core import context, metrics, replicas, scrape, trouble
from api.core.ids import uuid7

Handler = Callable[[HttpRequest], HttpResponse]
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Refused at the entrance, or by a database that would tell no position either.
_NOTHING_DONE = frozenset({401, 405, 429, 503})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
_log = logging.getLogger("guildhall.request")


class RequestContext:
    """Gives every request an id (taken from the proxy when well formed) and writes one log line for it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == scrape.PATH:
            return scrape.page(request)
        started = time.perf_counter()
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        identifier = given if _REQUEST_ID.match(given) else uuid7().hex
        token = context.request_id.set(identifier)
        user = context.user_id.set("")
        status = 500
        metrics.begin()
        try:
            response = self.get_response(request)
            status = response.status_code
            response["X-Request-ID"] = identifier
            _log.info(
                "request",
                extra={
                    "method": request.method,
                    "path": _without_secrets(request),
                    "status": response.status_code,
                    "ms": round((time.perf_counter() - started) * 1000, 2),
                },
            )
            return response
        finally:
            metrics.end(request, status, time.perf_counter() - started)
            context.user_id.reset(user)
            context.request_id.reset(token)


def _without_secrets(request: HttpRequest) -> str:
    """The path for the log. Links in e-mails carry their key in it, so of those pages only the start is told.

    Of one that leads nowhere nothing is: it may be such a link, mistyped.
    """
    if not request.path.startswith("/accounts/"):
        return request.path
    match = request.resolver_match
    if match is None:
        return "/accounts/…"
    return f"/{re.split('[(<]', match.route)[0].replace('^', '')}…" if match.kwargs else request.path


class CrossOrigin(CorsMiddleware):
    """The package's middleware, for the requests that it is about: an API request without `Origin` passes by.

    All that the package would add to such an answer is `Vary: origin`, which says something only of what may be stored.
    """

    def __call__(self, request: HttpRequest) -> Any:
        if "HTTP_ORIGIN" in request.META or not request.path.startswith("/api/v1/"):
            return super().__call__(request)
        response = self.get_response(request)
        if response.get("Cache-Control") != "no-store":
            # Kept without it, the answer would be given to a client on another origin, which may not read it.
            patch_vary_headers(response, ("origin",))
        return response


class ApiEntrance:
    """Takes API requests straight to `ApiExit`, past the middleware between them.

    What lies between serves pages: sessions, CSRF, messages, static files. The API neither sets nor reads a cookie,
    so it does not pay for them, which is a third of its time. They stay in `MIDDLEWARE`, where Django's checks look.
    """

    def __init__(self, get_response: Handler) -> None:
        self.pages = get_response
        self.api = ApiExit.innermost

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/v1/"):
            return self.pages(request)
        response = self.api(request)
        if settings.REPLICAS and request.method not in _SAFE and response.status_code not in _NOTHING_DONE:
            _tell_position(response)
        if not response.streaming and response.status_code != 204:
            # Without it every answer goes out in chunks, each a call to the kernel.
            response.setdefault("Content-Length", str(len(response.content)))
        return response


def _tell_position(response: HttpResponse) -> None:
    """What was done has been committed by now; `X-Read-After` is how far a replica must have come to show it."""
    try:
        response[replicas.HEADER] = replicas.position()
    except (DatabaseError, InterfaceError):
        # It is done and is answered so; whoever reads it from a replica sees it a moment later.
        trouble.let_go()


class ApiExit:
    """The last middleware; Django builds the chain from here, so `ApiEntrance` finds it made."""

    innermost: ClassVar[Handler]

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        ApiExit.innermost = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


class ContentSecurityPolicy:
    """The policy of pages (config/headers.py), on every page that the server renders.

    A view may set its own header first (the documentation page and the sandboxed frame do).
    """

    policy = settings.PAGE_POLICY

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", self.policy)
        return response
