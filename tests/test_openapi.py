"""`docs/openapi.yaml` is what the code says."""

import re
from collections.abc import Iterator
from typing import Any

import yaml
from django.conf import settings
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from api.core.management.commands.openapi import FILE, describe

_METHODS = {"get", "post", "put", "patch", "delete"}


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in yaml.safe_load(FILE.read_text())["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield f"{method.upper()} {path}", operation


def test_the_description_is_fresh() -> None:
    assert FILE.read_bytes() == describe(), "docs/openapi.yaml is stale; run make openapi and commit it"


def test_every_operation_says_what_it_does_and_answers() -> None:
    assert [name for name, operation in _operations() if not operation.get("description")] == []
    assert [
        name for name, operation in _operations() if not any(c.startswith("2") for c in operation["responses"])
    ] == []


def test_every_operation_tells_its_scope() -> None:
    """The first requirement of an operation names OAuth2 scopes, or the operation is open to anyone."""
    unscoped = [
        name
        for name, operation in _operations()
        if operation.get("security") and not any(scopes for each in operation["security"] for scopes in each.values())
    ]
    assert unscoped == []


def test_names_of_operations_are_a_verb_and_a_noun() -> None:
    names = [operation["operationId"] for _, operation in _operations()]
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert len(set(names)) == len(names)


def test_every_unsafe_operation_takes_an_idempotency_key() -> None:
    key = {"$ref": "#/components/parameters/IdempotencyKey"}
    unsafe = [(name, operation) for name, operation in _operations() if not name.startswith("GET ")]
    assert unsafe
    assert [name for name, operation in unsafe if key not in operation["parameters"]] == []


def test_every_body_has_an_example_and_every_example_is_what_its_schema_says() -> None:
    document = yaml.safe_load(FILE.read_text())
    registry = Registry().with_resource("urn:api", Resource.from_contents(document, DRAFT202012))
    lacking, wrong = [], []
    for name, operation in _operations():
        for media in _media(document, operation):
            schema = {"$ref": media.pop("$pointer")}
            found = (
                [media["example"]] if "example" in media else [e["value"] for e in media.get("examples", {}).values()]
            )
            if not found and "multipart" not in schema["$ref"]:
                lacking.append(f"{name} {schema['$ref']}")
            validator = Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())
            wrong += [f"{name}: {error.message}" for example in found for error in validator.iter_errors(example)]
    assert lacking == []
    assert wrong == []


def _media(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every described content of an operation's request and responses, with a pointer to its schema."""
    path = next(
        f"#/paths/{path.replace('~', '~0').replace('/', '~1')}/{method}"
        for path, item in document["paths"].items()
        for method, each in item.items()
        if each == operation
    )
    places = [(f"{path}/requestBody", operation.get("requestBody", {}))]
    for status, response in operation["responses"].items():
        place = f"{path}/responses/{status}"
        if "$ref" in response:
            place = response["$ref"]
            response = document["components"]["responses"][place.rpartition("/")[2]]
        places.append((place, response))
    for place, body in places:
        for kind, media in body.get("content", {}).items():
            yield {**media, "$pointer": f"urn:api{place}/content/{kind.replace('/', '~1')}/schema"}


def test_every_operation_tells_what_can_go_wrong() -> None:
    for name, operation in _operations():
        wanted = {"429"}
        if operation.get("security"):
            wanted |= {"401", "403"}
        if "{" in name:
            wanted.add("404")
        if "requestBody" in operation:
            wanted |= {"400", "413", "415", "422"}
        assert wanted <= operation["responses"].keys(), name


def test_the_scopes_are_those_that_tokens_can_have() -> None:
    document = yaml.safe_load(FILE.read_text())
    flows = document["components"]["securitySchemes"]["oauth2"]["flows"]
    assert set(flows) == {"authorizationCode", "clientCredentials"}
    assert all(flow["scopes"] == dict(settings.SCOPES) for flow in flows.values())


def test_the_description_is_served_to_anyone(client: Any, db: None) -> None:
    response = client.get("/api/v1/openapi.yaml")
    assert response.headers["Content-Type"] == "application/yaml"
    assert b"".join(response.streaming_content) == FILE.read_bytes()
