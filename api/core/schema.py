"""The API description: what drf-spectacular is told beyond what it reads off the views.

The permission tables give the scopes. What holds for every operation alike (problems, pages, idempotency keys) is
added here once, and an example of each body is made from its schema.
"""

from collections import Counter
from functools import cache
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from api.core.examples import example_of
from api.core.idempotency import KEPT_FOR
from api.core.pages import DEFAULT_LIMIT, MAX_LIMIT

_SAFE = {"get", "head", "options"}
_METHODS = {"get", "post", "put", "patch", "delete"}
# Name, status, code and text of the problems any operation may answer with.
_PROBLEMS = {
    "400": ("Invalid", "invalid", "Not valid", "Some of what you sent is not right."),
    "401": ("NotAuthenticated", "not_authenticated", "Not authenticated", "Sign in, or send a bearer token."),
    "403": ("NotAllowed", "not_allowed", "Not allowed", "You may not do this."),
    "404": ("NotFound", "not_found", "Not found", "There is no such thing, or you may not see it."),
    "409": ("Conflict", "conflict", "Conflict", "This cannot be done in the present state."),
    "422": (
        "KeyReused",
        "idempotency_key_reused",
        "Not valid",
        "This Idempotency-Key was used for another request. Send a new key for a new request.",
    ),
    "429": ("RateLimited", "rate_limited", "Request was throttled", "Expected available in 12 seconds."),
}
_PROBLEM = {
    "type": "object",
    "description": "An RFC 9457 problem document. `code` is stable; `detail` is for people.",
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
_PARAMETERS = {
    "IdempotencyKey": {
        "in": "header",
        "name": "Idempotency-Key",
        "schema": {"type": "string", "minLength": 8, "maxLength": 128},
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
_LINK = {
    "description": 'The next page, when there is one: `<…>; rel="next"` (RFC 8288).',
    "schema": {"type": "string"},
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
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    components["parameters"] = _PARAMETERS
    components["responses"] = {
        name: _problem(int(status), code, title, detail) for status, (name, code, title, detail) in _PROBLEMS.items()
    }
    for path, item in result["paths"].items():
        for method in _METHODS & item.keys():
            _complete(path, method, item[method], schemas)
    return result


def _problem(status: int, code: str, title: str, detail: str) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": f"urn:guildhall:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "8f14e45fceea467ab4b5f6d0a1c2e3d4",
    }
    if status == 400:
        example["errors"] = [{"field": "title", "code": "required", "detail": "This field is required."}]
    body = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    return {"description": detail, "content": {"application/problem+json": body}}


def _complete(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    parameters = operation.setdefault("parameters", [])
    responses = operation["responses"]
    named = {parameter.get("name") for parameter in parameters}
    listed = responses.get("200", {}).get("content", {}).get("application/json", {})
    if method == "get" and listed.get("schema", {}).get("type") == "array" and {"limit", "cursor"} & named:
        responses["200"]["headers"] = {"Link": _LINK}
        parameters[:] = [each for each in parameters if each.get("name") not in {"limit", "cursor"}]
        parameters += [{"$ref": f"#/components/parameters/{name}"} for name in ("Limit", "Cursor")]
    scoped = bool(operation.get("security"))
    if scoped and method not in _SAFE:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    expected = {"429"}
    if parameters or "requestBody" in operation:
        expected.add("400")
    if scoped:
        expected |= {"401", "403"}
        if method not in _SAFE:
            expected |= {"409", "422"}
    if "{" in path:
        expected.add("404")
    for status in sorted(expected - responses.keys()):
        responses[status] = {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"}
    bodies = [operation.get("requestBody", {}), *responses.values()]
    for content in (body.get("content", {}) for body in bodies):
        media = content.get("application/json")
        if media and not {"example", "examples"} & media.keys():
            media["example"] = example_of(media.get("schema", {}), schemas)
    if not parameters:
        del operation["parameters"]
