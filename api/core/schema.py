"""The API description: what drf-spectacular is told beyond what it reads off the views.

The permission tables give the scopes. What holds for every operation alike (problems, pages, idempotency keys) is
added here once, and an example of each body is made from its schema.
"""

import inspect
import re
from collections import Counter
from functools import cache
from http import HTTPStatus
from importlib import import_module
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from api.core.errors import DomainError
from api.core.examples import example_of
from api.core.idempotency import KEPT_FOR
from api.core.pages import DEFAULT_LIMIT, MAX_LIMIT
from api.core.problems import PROBLEM_TYPE, UNAVAILABLE, status_of, title_of
from api.core.serializers import In, Out

_BASES = {inspect.getdoc(base) for base in (In, Out, serializers.Serializer)}
_SAFE = {"get", "head", "options"}
_METHODS = {"get", "post", "put", "patch", "delete"}
_ABOUT = """
A marketplace for crowd work that the people who use it govern. Whatever its own client does goes through these calls.

**Tokens.** Every call but the open ones carries `Authorization: Bearer …`, from the OAuth2 endpoints below. An
operation names the scope its token needs. What you may not see is 404; what you may see but not do is 403.

**Form.** JSON, names in lower_snake_case, ids are UUIDs, instants are RFC 3339 in UTC, lengths of time are whole
seconds, and money is `{"amount": 15, "currency": "USD"}` in minor units (15 is $0.15). Unknown fields are refused.

**Problems.** An error is an RFC 9457 problem document (`application/problem+json`). Its `code` never changes; `errors`
names each field at fault by its path.

**Lists.** Arrays, newest first unless said, with the next page in a `Link` header (`rel="next"`).

**Repeating.** Every unsafe call takes an `Idempotency-Key`: the same key and body are done once and answered the same
for 24 hours, also when two arrive at once; an answer that is given again says `Idempotency-Replayed: true`.

**Limits.** Each answer tells what is left in `RateLimit`; past it comes 429 with `Retry-After`.
"""
# Name, status, code and text of the problems any operation may answer with.
_PROBLEMS = {
    "400": ("Invalid", "invalid", "Not valid", "Some of what you sent is not right."),
    "401": ("NotAuthenticated", "not_authenticated", "Not authenticated", "Sign in, or send a bearer token."),
    "403": ("NotAllowed", "not_allowed", "Not allowed", "You may not do this."),
    "404": ("NotFound", "not_found", "Not found", "There is no such thing, or you may not see it."),
    "409": ("Conflict", "conflict", "Conflict", "This cannot be done in the present state."),
    "413": ("TooLarge", "too_large", "Too large", "The body is longer than is taken here."),
    "415": (
        "UnsupportedMediaType",
        "unsupported_media_type",
        "Unsupported media type",
        "Send application/json.",
    ),
    "422": (
        "KeyReused",
        "idempotency_key_reused",
        "Not valid",
        "This Idempotency-Key was used for another request. Send a new key for a new request.",
    ),
    "429": ("RateLimited", "rate_limited", "Request was throttled", "Expected available in 12 seconds."),
    "503": ("Unavailable", "unavailable", "Unavailable", UNAVAILABLE),
}
_PROBLEM = {
    "type": "object",
    "description": "An RFC 9457 problem document. `code` is stable; `detail` is for people. Some problems have more"
    " members, such as `missing` (how much money) or `batch` (the report of an import).",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string", "description": "A dotted path into the body: reward.amount."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
_PARAMETERS = {
    "IdempotencyKey": {
        "in": "header",
        "name": "Idempotency-Key",
        "schema": {"type": "string", "minLength": 8, "maxLength": 128, "pattern": "^[!-~]+$"},
        "description": "The same key and body give the same answer, and are done once, for"
        f" {KEPT_FOR.total_seconds() / 3600:.0f} hours.",
        "example": "0d9c2f6e-6f0c-4b8e-9a51-3d1f4a7f2c10",
    },
    "Limit": {
        "in": "query",
        "name": "limit",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        "description": "How many rows a page has at most.",
    },
    "Cursor": {
        "in": "query",
        "name": "cursor",
        "schema": {"type": "string"},
        "description": "Where the page starts: from the Link header of the page before.",
    },
}
_HEADERS: dict[str, tuple[str, str, str]] = {
    "Link": ("Link", "string", 'The next page, when there is one: `<…>; rel="next"` (RFC 8288).'),
    "RequestId": ("X-Request-ID", "string", "Names this request in the logs; quote it when you report a fault."),
    "RateLimit": ("RateLimit", "string", 'What is left in this window: `"minute";r=2999;t=42`.'),
    "RateLimitPolicy": ("RateLimit-Policy", "string", 'The limit and its window in seconds: `"minute";q=3000;w=60`.'),
    "RetryAfter": ("Retry-After", "integer", "Seconds to wait before trying again."),
    "Challenge": ("WWW-Authenticate", "string", "What a token must be or have (RFC 6750)."),
    "Replayed": ("Idempotency-Replayed", "string", "`true` when this answer was given before to the same key."),
}
_ALWAYS = ("RequestId", "RateLimit", "RateLimitPolicy")


def raises(*kinds: type[DomainError]) -> dict[tuple[int, str], OpenApiResponse]:
    """For `@extend_schema(responses={200: …, **raises(…)})`: the problems of an operation that callers tell apart."""
    found: dict[int, list[type[DomainError]]] = {}
    for kind in kinds:
        found.setdefault(status_of(kind), []).append(kind)
    return {
        (status, PROBLEM_TYPE): OpenApiResponse(
            _PROBLEM_REF,
            " ".join(f"`{kind.code}`: {kind.message}" for kind in group),
            [OpenApiExample(kind.code, _example(status, kind.code, title_of(kind), kind.message)) for kind in group],
        )
        for status, group in found.items()
    }


@cache
def _names() -> Counter[str]:
    """How many shapes of the API have each name."""
    found, left = set(), [serializers.Serializer]
    while left:
        left += (kinds := left.pop().__subclasses__())
        found.update(kind for kind in kinds if kind.__module__.startswith("api."))
    return Counter(kind.__name__ for kind in found)


class Schema(AutoSchema):
    """Reads `required_scopes` of a view. An operation that needs no token has no security requirement.

    Shapes of two domains may have one name; each is then called by its domain, too.
    """

    def get_serializer_name(self, serializer: serializers.Serializer, direction: str) -> str:
        name = type(serializer).__name__
        if _names()[name] == 1:
            return name
        return type(serializer).__module__.split(".")[1].capitalize() + name

    def get_auth(self) -> list[Any]:
        return super().get_auth() if getattr(self.view, "required_scopes", None) else []

    def get_tags(self) -> list[str]:
        return [type(self.view).__module__.split(".")[1]]

    def get_summary(self) -> str:
        return str(self.get_description()).partition("\n")[0].partition(". ")[0].rstrip(".")


class Bearer(OpenApiAuthenticationExtension):
    target_class = "api.accounts.authentication.BearerAuthentication"
    name = "oauth2"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        token = {"tokenUrl": "/oauth/token", "scopes": dict(settings.SCOPES)}
        code = {**token, "authorizationUrl": "/oauth/authorize", "refreshUrl": "/oauth/token"}
        return {
            "type": "oauth2",
            "description": "Bearer tokens. The authorisation code needs PKCE with S256.",
            "flows": {"authorizationCode": code, "clientCredentials": token},
        }

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[str]]:
        return {self.name: auto_schema.view.required_scopes}


def only_api(endpoints: list[Any]) -> list[Any]:
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


def finish(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    result["info"]["description"] = _ABOUT.strip()
    components = result.setdefault("components", {})
    schemas = components["schemas"] = _named(components.get("schemas", {}))
    result["paths"] = _renamed(result["paths"])
    schemas["Problem"] = _PROBLEM
    components["parameters"] = _PARAMETERS
    components["headers"] = {
        name: {"description": text, "schema": {"type": kind}} for name, (_, kind, text) in _HEADERS.items()
    }
    components["responses"] = {
        name: _problem(int(status), code, title, detail) for status, (name, code, title, detail) in _PROBLEMS.items()
    }
    used = set()
    for path, item in result["paths"].items():
        for method in _METHODS & item.keys():
            _complete(path, method, item[method], schemas)
            used.update(item[method]["tags"])
    domains = [name.removeprefix("api.") for name in settings.INSTALLED_APPS if name.startswith("api.")]
    result["tags"] = [{"name": name, "description": _about(name)} for name in domains if name in used]
    return result


def _renamed(node: Any) -> Any:
    """`XIn` is read and `XOut` is shown, so drf-spectacular's mark of what is read says nothing more."""
    if isinstance(node, dict):
        return {
            key: re.sub(r"In(List)?Request\Z", r"In\1", value) if key == "$ref" else _renamed(value)
            for key, value in node.items()
            if key != "x-spec-enum-id"
        }
    return [_renamed(each) for each in node] if isinstance(node, list) else node


def _named(schemas: dict[str, Any]) -> dict[str, Any]:
    """The shapes by their own names: what is read refuses unknown fields, and only what was written describes one."""
    own = {}
    for name, schema in schemas.items():
        if schema.get("description") in _BASES:
            del schema["description"]
        if name.endswith("InRequest") and schema.get("type") == "object":
            schema["additionalProperties"] = False
        own[re.sub(r"InRequest\Z", "In", name)] = _renamed(schema)
    return own


def _about(domain: str) -> str:
    """What a domain is and its words, as its folder says."""
    paragraphs = str(import_module(f"api.{domain}").__doc__).strip().split("\n\n")
    words = " ".join(paragraphs[1:]).replace("\n", " ").partition("Invariants")[0].removeprefix("Words: ").strip()
    return f"{paragraphs[0]} {words[:1].upper()}{words[1:]}".strip()


def _example(status: int, code: str, title: str, detail: str) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": f"urn:guildhall:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "8f14e45fceea467ab4b5f6d0a1c2e3d4",
    }
    if code == "invalid":
        example["errors"] = [{"field": "title", "code": "required", "detail": "This field is required."}]
    return example


def _problem(status: int, code: str, title: str, detail: str) -> dict[str, Any]:
    names = {401: ["Challenge"], 403: ["Challenge"], 429: ["RetryAfter"], 503: ["RetryAfter"]}.get(status, [])
    body = {"schema": _PROBLEM_REF, "example": _example(status, code, title, detail)}
    return {"description": detail, "headers": _headers(*names, *_ALWAYS), "content": {PROBLEM_TYPE: body}}


def _also(response: dict[str, Any], name: str, code: str, title: str, detail: str) -> None:
    """Add what any operation may answer to a response that names problems of its own."""
    examples = response["content"][PROBLEM_TYPE]["examples"]
    status = next(iter(examples.values()))["value"]["status"]
    if code not in examples:
        response["description"] += f" `{code}`: {detail}"
        examples[code] = {"value": _example(status, code, title, detail)}


def _headers(*names: str) -> dict[str, Any]:
    return {_HEADERS[name][0]: {"$ref": f"#/components/headers/{name}"} for name in names}


def _complete(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    parameters = operation.setdefault("parameters", [])
    responses = operation["responses"]
    named = {parameter.get("name") for parameter in parameters}
    paged = method == "get" and {"limit", "cursor"} <= named
    scoped = bool(operation.get("security"))
    if paged:
        parameters[:] = [each for each in parameters if each.get("name") not in {"limit", "cursor"}]
        parameters += [{"$ref": f"#/components/parameters/{name}"} for name in ("Limit", "Cursor")]
    if scoped and method not in _SAFE:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    for status, response in responses.items():
        response["description"] = response.get("description") or HTTPStatus(int(status)).phrase
        names = (*(["Link"] if paged else []), *(["Replayed"] if scoped and method not in _SAFE else []), *_ALWAYS)
        response["headers"] = _headers(*names) if status.startswith("2") else _headers(*_ALWAYS)
    expected = {"429", "503"}
    if parameters or "requestBody" in operation:
        expected.add("400")
    if "requestBody" in operation:
        expected |= {"413", "415"}
    if scoped:
        expected |= {"401", "403"}
        if method not in _SAFE:
            expected |= {"409", "422"}
    if "{" in path:
        expected.add("404")
    for status in sorted(expected & responses.keys() - {"409"}):
        _also(responses[status], *_PROBLEMS[status])
    for status in sorted(expected - responses.keys()):
        responses[status] = {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"}
    operation["responses"] = dict(sorted(responses.items()))
    bodies = [operation.get("requestBody", {}), *responses.values()]
    for content in (body.get("content", {}) for body in bodies):
        media = content.get("application/json")
        if media and not {"example", "examples"} & media.keys():
            media["example"] = example_of(media.get("schema", {}), schemas)
    if not parameters:
        del operation["parameters"]
