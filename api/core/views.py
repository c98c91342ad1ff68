"""The base of every API view: permission table, idempotency, rate limits; and the few routes of no domain."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, ProgrammingError, connections
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, Throttled
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from api.core import context, idempotency, limits, replicas, trouble
from api.core.http import answer
from api.core.permissions import ANYONE, Row
from api.core.problems import problem_of
from api.core.serializers import TimeOut

DESCRIPTION = settings.BASE_DIR / "docs" / "openapi.yaml"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class ApiViewSet(ViewSet):
    """A viewset whose actions are rows of `permission_table`.

    An unsafe action runs once for each `Idempotency-Key`, in one transaction with the key. The answers of
    `secret_answers`, which are actions too, are kept for it encrypted.

    A safe action of `replica_reads` may be served by a replica; all others read the primary. When the database fails
    for a moment, what can be done again is done again: a safe action, and an unsafe one whose key decides whether the
    first try came through.
    """

    permission_table: ClassVar[dict[str, Row]] = {}
    secret_answers: ClassVar[frozenset[str]] = frozenset()
    replica_reads: ClassVar[frozenset[str]] = frozenset()
    failure: Exception | None = None
    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "put", "patch", "delete"]

    @property
    def required_scopes(self) -> list[str]:
        """The OAuth2 scopes the present action needs; read by the API description."""
        row = self.permission_table.get(self.action or "")
        return [row.scope] if row and row.scope else []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method.lower() not in self.action_map:
            raise MethodNotAllowed(request.method)
        try:
            self.perform_authentication(request)
        except AuthenticationFailed:
            self._limit(limits.count("address", limits.address_of(request)))
            raise
        user = request.user
        if user.is_authenticated:
            context.user_id.set(str(user.pk))
        self._limit(_count(request))
        self.check_permissions(request)
        if request.method in _SAFE:
            if self.action in self.replica_reads and not self.primary_only:
                replicas.chosen.set(replicas.choose(request.META.get("HTTP_X_READ_AFTER", "")))
            return
        key = idempotency.read_key(request) if user.is_authenticated else None
        self.begun_with_key = key is not None
        if key is not None:
            self._run_once(request, key)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """None: `Allow` is told where it is asked for, and there is one renderer, so nothing varies by `Accept`."""
        return {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.usage: limits.Usage | None = None
        response = self._dispatch_with_patience(request, *args, **kwargs)
        if response.status_code == 405:
            response["Allow"] = ", ".join(self.allowed_methods)
        response.headers.setdefault("Cache-Control", "no-store")
        if self.usage is not None:
            response["RateLimit-Policy"] = f'"minute";q={self.usage.limit};w={limits.WINDOW}'
            response["RateLimit"] = f'"minute";r={max(0, self.usage.remaining)};t={self.usage.reset}'
        return response

    def handle_exception(self, exc: Exception) -> HttpResponse:
        self.failure = exc
        return super().handle_exception(exc)

    def _dispatch_with_patience(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name = request.method.lower()
        handler = getattr(self, name, None)
        self.primary_only = False
        tries = None
        while True:
            self.failure = None
            self.begun_with_key: bool | None = None
            with replicas.reading(DEFAULT_DB_ALIAS):
                response = self._dispatch_once(request, *args, **kwargs)
                again = self._may_do_again(request)
            if not again:
                return response
            if tries is None:
                keyed = request.method not in _SAFE and "HTTP_IDEMPOTENCY_KEY" in request.META
                tries = trouble.tries(trouble.PATIENCE if keyed else 0)
            if next(tries, ...) is ...:
                return response
            # The handler that runs once for a key has been put over it.
            setattr(self, name, handler)

    def _dispatch_once(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().dispatch(request, *args, **kwargs)
        if response.streaming and replicas.chosen.get() != DEFAULT_DB_ALIAS:
            try:
                # The rest is made when the view has long returned.
                response.streaming_content = replicas.held(response.streaming_content)
            except (DatabaseError, InterfaceError) as error:
                response.close()
                return self.handle_exception(error)
        return response

    def _may_do_again(self, request: HttpRequest) -> bool:
        """Whether a try has failed in a way that another one need not, and may be made."""
        failure, alias = self.failure, replicas.chosen.get()
        if failure is None or not isinstance(failure, DatabaseError | InterfaceError):
            return False
        if alias != DEFAULT_DB_ALIAS and connections[alias].errors_occurred:
            self.primary_only = True
            if trouble.is_passing(failure) and not trouble.is_read_only(failure):
                replicas.leave_out(alias, failure)
                return True
            # To a replica the last migration may not have come yet.
            return isinstance(failure, ProgrammingError)
        if not trouble.is_passing(failure):
            return False
        # Until the work begins, nothing has been done, and nothing of the body read. Whether it can be read again
        # Django knows: it keeps what the key was compared by, and keeps nothing of an upload.
        return self.begun_with_key is None or (self.begun_with_key and hasattr(request, "_body"))

    def _limit(self, usage: limits.Usage) -> None:
        self.usage = usage
        if usage.exceeded:
            raise Throttled(wait=usage.reset)

    def _run_once(self, request: Request, key: str) -> None:
        name = request.method.lower()
        handler = getattr(self, name)

        def once(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            work = lambda: handler(request, *args, **kwargs)  # noqa: E731
            return idempotency.run_once(request, key, work, problem_of, secret=self.action in self.secret_answers)

        setattr(self, name, once)


def _count(request: Request) -> limits.Usage:
    """Count this request against its user and its application, and tell the tighter of the two."""
    if not request.user.is_authenticated:
        return limits.count("address", limits.address_of(request))
    both = limits.count_all([("user", str(request.user.pk)), ("application", str(request.auth.application_id))])
    return min(both, key=lambda each: each.remaining)


class TimeViewSet(ApiViewSet):
    permission_table: ClassVar = {"retrieve": Row(ANYONE, None)}

    @extend_schema(operation_id="get_time", responses={200: TimeOut})
    def retrieve(self, request: Request) -> HttpResponse:
        """The server's clock, which every deadline is measured by."""
        return answer({"now": timezone.now()})


class DescriptionViewSet(ApiViewSet):
    permission_table: ClassVar = {"retrieve": Row(ANYONE, None)}

    @extend_schema(
        operation_id="get_description",
        responses={
            (200, "application/yaml"): OpenApiResponse(
                OpenApiTypes.OBJECT, "An OpenAPI 3.1 document.", [OpenApiExample("start", {"openapi": "3.1.1"})]
            )
        },
    )
    def retrieve(self, request: Request) -> FileResponse:
        """This description of the API, for programs; people read it at /api/docs."""
        return FileResponse(DESCRIPTION.open("rb"), content_type="application/yaml")
