"""`/api/docs`: the API description for people. A page of the server's own, so that it needs no other host.

It is made from the file that programs get (`/api/v1/openapi.yaml`), once a process.
"""

import json
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import yaml
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

from api.core.views import DESCRIPTION

_METHODS = ("get", "post", "put", "patch", "delete")
_LIMITS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "default")
# Raw HTML stays text; what is rendered is ours in any case.
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_page(), headers={"Cache-Control": "no-cache"})


@lru_cache(maxsize=1)
def _page() -> bytes:
    description = yaml.load(DESCRIPTION.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return render_to_string("core/docs.html", _context(description)).encode()


def _context(description: dict[str, Any]) -> dict[str, Any]:
    components = description["components"]
    operations = [
        _operation(path, method, item[method], components)
        for path, item in description["paths"].items()
        for method in _METHODS
        if method in item
    ]
    domains = [
        {
            "name": tag["name"],
            "about": _html(tag["description"]),
            "operations": [each for each in operations if each["domain"] == tag["name"]],
        }
        for tag in description["tags"]
    ]
    code, server = (
        components["securitySchemes"]["oauth2"]["flows"][f] for f in ("authorizationCode", "clientCredentials")
    )
    return {
        "title": description["info"]["title"],
        "about": _html(description["info"]["description"]),
        "base": settings.PUBLIC_URL,
        "domains": domains,
        "scopes": code["scopes"].items(),
        "endpoints": [("Authorise", code["authorizationUrl"]), ("Tokens", server["tokenUrl"])],
        "shapes": [
            {"name": name, "about": _html(shape.get("description", "")), "fields": _fields(shape)}
            for name, shape in sorted(components["schemas"].items())
        ],
    }


def _operation(path: str, method: str, operation: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    parameters = [_resolved(each, components) for each in operation.get("parameters", [])]
    responses = {status: _resolved(each, components) for status, each in operation["responses"].items()}
    scopes = [scope for each in operation.get("security", []) for scope in each.get("oauth2", [])]
    bodies = _contents(operation.get("requestBody", {}))
    return {
        "id": operation["operationId"],
        "domain": operation["tags"][0],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "about": _html(operation["description"]),
        "scopes": scopes,
        "parameters": [
            {
                "name": each["name"],
                "place": each["in"],
                "required": each.get("required", False),
                "kind": _kind(each["schema"]),
                "notes": _notes(each["schema"]),
                "about": _html(each.get("description", "")),
            }
            for each in parameters
        ],
        "bodies": bodies,
        "answers": [_answer(status, each) for status, each in responses.items() if status < "400"],
        "problems": [_answer(status, each) for status, each in responses.items() if status >= "400"],
        "curl": _curl(path, method, parameters, bodies, bool(scopes)),
    }


def _resolved(node: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    _, _, kind, name = node["$ref"].split("/")
    found: dict[str, Any] = components[kind][name]
    return found


def _answer(status: str, response: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": status,
        "phrase": HTTPStatus(int(status)).phrase,
        "about": _html(response["description"]),
        "bodies": _contents(response),
        "headers": [name for name in response.get("headers", {}) if not name.startswith(("RateLimit", "X-Request"))],
    }


def _contents(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "media": media,
            "kind": _kind(content["schema"]),
            "examples": [
                each if isinstance(each, str) else json.dumps(each, indent=2, ensure_ascii=False)
                for each in [
                    *([content["example"]] if "example" in content else []),
                    *(each["value"] for each in content.get("examples", {}).values()),
                ]
            ],
        }
        for media, content in body.get("content", {}).items()
    ]


def _fields(shape: dict[str, Any]) -> list[dict[str, Any]]:
    required = shape.get("required", [])
    return [
        {
            "name": name,
            "required": name in required,
            "kind": _kind(field),
            "notes": _notes(field),
            "about": _html(field.get("description", "")),
        }
        for name, field in shape.get("properties", {}).items()
    ]


def _kind(schema: dict[str, Any]) -> dict[str, str]:
    """What a value is in a few words: `before`, the name of a `shape` to look up (or none), `after`."""
    if "$ref" in schema:
        return {"before": "", "shape": schema["$ref"].rpartition("/")[2], "after": ""}
    several = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf")
    if several:
        kind, *others = [_kind(each) for each in several]
        return {**kind, "after": kind["after"] + "".join(f" or {other['before']}" for other in others)}
    names = schema.get("type", "anything")
    names = names if isinstance(names, list) else [names]
    if "array" in names:
        inner = _kind(schema.get("items", {}))
        return {
            **inner,
            "before": f"list of {inner['before']}",
            "after": inner["after"] + " or null" * ("null" in names),
        }
    if isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
        inner = _kind(schema["additionalProperties"])
        return {**inner, "before": f"object of {inner['before']}"}
    word = {"uuid": "id", "date-time": "instant", "date": "day", "uri": "address"}.get(schema.get("format", ""))
    return {"before": " or ".join([word or names[0], *names[1:]]), "shape": "", "after": ""}


def _notes(schema: dict[str, Any]) -> list[str]:
    """What a value must keep to, such as `maxLength 80` or the words it may be."""
    words = [str(word) for word in schema.get("enum", schema.get("items", {}).get("enum", [])) if word is not None]
    limits = [f"{name} {json.dumps(schema[name])}" for name in _LIMITS if schema.get(name) not in (None, "")]
    return [" | ".join(words)] * bool(words) + limits


def _curl(path: str, method: str, parameters: list[dict[str, Any]], bodies: list[dict[str, Any]], scoped: bool) -> str:
    lines = [f"curl{'' if method == 'get' else f' -X {method.upper()}'} '{settings.PUBLIC_URL}{path}'"]
    if scoped:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if any(each["name"] == "Idempotency-Key" for each in parameters):
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    body = next((each for each in bodies if each["examples"]), None)
    if body:
        text = body["examples"][0]
        if body["media"] == "application/json":
            text = json.dumps(json.loads(text), ensure_ascii=False)
        quoted = text.replace("'", "'\\''")
        lines += [f"-H 'Content-Type: {body['media']}'", f"--data-binary '{quoted}'"]
    return " \\\n  ".join(lines)


def _html(text: str) -> SafeString:
    return mark_safe(_MARKDOWN.render(text))  # noqa: S308  (rendered without raw HTML)
