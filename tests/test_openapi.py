"""`docs/openapi.yaml` is what the code says."""

from collections.abc import Iterator
from typing import Any

import yaml

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
