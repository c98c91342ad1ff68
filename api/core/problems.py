"""Errors as the API shows them: RFC 9457 problem documents. The only place that knows status codes."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions

from api.core import context, trouble
from api.core.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from api.core.http import dump

UNAVAILABLE = "The database cannot answer just now. Nothing was done; try again in a moment."
UNKNOWN = (
    "The database went away while it worked on this, so whether it was done is not known. Try again in a moment:"
    " with the same Idempotency-Key it is done once."
)
PROBLEM_TYPE = "application/problem+json"
_log = logging.getLogger("guildhall.problems")
_STATUS: list[tuple[type[DomainError], int, str]] = [
    (Invalid, 400, "Not valid"),
    (NotAllowed, 403, "Not allowed"),
    (NotFound, 404, "Not found"),
    (Conflict, 409, "Conflict"),
]
_CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "rate_limited",
}


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    extra: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """A problem document. `code` is stable; `detail` is for people and may be reworded."""
    body: dict[str, Any] = {
        "type": f"urn:guildhall:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = errors
    if identifier := context.request_id.get():
        body["request_id"] = identifier
    body.update(extra or {})
    return HttpResponse(dump(body), status=status, content_type=PROBLEM_TYPE, headers=headers)


def status_of(kind: type[DomainError]) -> int:
    """The status of an error: that of its kind, unless the error itself has one."""
    own: int | None = getattr(kind, "status", None)
    return own or next(status for base, status, _ in _STATUS if issubclass(kind, base))


def title_of(kind: type[DomainError]) -> str:
    return next(title for base, _, title in _STATUS if issubclass(kind, base))


def problem_of(error: DomainError) -> HttpResponse:
    kind = type(error)
    errors = [each.as_dict() for each in error.errors]
    wait = getattr(error, "retry_after", None)
    headers = None if wait is None else {"Retry-After": str(wait)}
    return problem(
        status_of(kind), error.code, title_of(kind), error.detail, errors=errors, extra=error.extra, headers=headers
    )


def handle_exception(error: Exception, context_: dict[str, Any]) -> HttpResponse | None:
    """Django REST framework's exception handler."""
    if isinstance(error, DomainError):
        return problem_of(error)
    if isinstance(error, Http404):
        return problem(404, "not_found", "Not found", NotFound.message)
    if isinstance(error, RequestDataTooBig):
        return problem(413, "too_large", "Too large", "The body is longer than is taken here.")
    if isinstance(error, PermissionDenied):
        return problem(403, "not_allowed", "Not allowed", NotAllowed.message)
    if isinstance(error, exceptions.APIException):
        headers = {}
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
        if (wait := getattr(error, "wait", None)) is not None:
            headers["Retry-After"] = str(max(1, int(wait)))
        code = getattr(error, "problem_code", None) or _CODES.get(error.status_code, "error")
        title = str(error.default_detail).rstrip(".")
        return problem(error.status_code, code, title, str(error.detail), headers=headers)
    if isinstance(error, DatabaseError) and _is_bad_text(error):
        return problem(400, "invalid", "Not valid", "Text must not contain NUL characters.")
    if isinstance(error, OperationalError | InterfaceError) or trouble.is_passing(error):
        request = context_.get("request")
        is_safe = request is not None and request.method in ("GET", "HEAD", "OPTIONS")
        return unavailable(error, is_safe=is_safe)
    return None


def unavailable(error: BaseException, *, is_safe: bool) -> HttpResponse:
    """503: the database is being restarted, is full, or has a new primary."""
    _log.exception("database unavailable", exc_info=error)
    trouble.let_go()
    detail = UNAVAILABLE if is_safe or trouble.is_undone(error) else UNKNOWN
    return problem(503, "unavailable", "Unavailable", detail, headers={"Retry-After": "1"})


def _is_bad_text(error: DatabaseError) -> bool:
    """PostgreSQL stores no U+0000, neither in text nor in jsonb."""
    return getattr(error.__cause__, "pgcode", None) in {"22021", "22P05"}


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem(404, "not_found", "Not found", NotFound.message)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem(400, "invalid", "Not valid", "This request cannot be read.")


def server_error(request: HttpRequest) -> HttpResponse:
    return problem(500, "server_error", "Server error", "Something went wrong on our side. It has been logged.")
