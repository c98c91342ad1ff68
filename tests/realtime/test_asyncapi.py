"""`docs/asyncapi.yaml` describes what gateways send: valid as such, and the same as the catalogue and the code."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import orjson
import yaml
from django.conf import settings
from django.utils import timezone
from jsonschema import Draft7Validator

from api.accounts.models import User
from api.core.ids import uuid7
from api.ledger.models import Transfer
from api.realtime import cursor
from api.realtime.catalog import KINDS
from api.realtime.reader import item
from api.work.models import State

ROOT = settings.BASE_DIR
FILE = ROOT / "docs" / "asyncapi.yaml"
# Told to nobody: facts for clocks and audits, published without an audience.
FOR_JOBS_ALONE = {"place.reopened", "escrow.changed"}
# What `f"assignment.{…}"` can become, by the name that stands in it.
_FILLED = {
    "assignment.state": [State.REJECTED, State.SENT_BACK],
    "kind": [Transfer.Kind.BONUS, Transfer.Kind.PARTIAL],
    "to": [State.RETURNED, State.EXPIRED],
}
_PUBLISHERS = {"publish", "publish_many", "_publish", "_tell", "_turn"}


def document() -> dict[str, Any]:
    return dict(yaml.safe_load(FILE.read_text()))


def test_it_is_a_document_of_asyncapi_3() -> None:
    schema = json.loads((ROOT / "tests" / "data" / "asyncapi" / "3.0.0.json").read_text())
    assert [error.message for error in Draft7Validator(schema).iter_errors(document())] == []


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


def _resolved(reference: str) -> Any:
    found: Any = document()
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_every_reference_leads_somewhere() -> None:
    references = set(_references(document()))
    assert references
    for each in references:
        assert _resolved(each)


def _described() -> dict[str, tuple[set[str], str]]:
    """By type of event: the fields of its data, and the title, which names the scopes."""
    found = {}
    for schema in document()["components"]["schemas"].values():
        event = schema["properties"]["event"]
        fields = set(schema["properties"]["data"]["properties"])
        for type_ in event.get("enum") or [event["const"]]:
            found[type_] = (fields, schema["title"])
    return found


def test_it_has_every_event_of_the_catalogue_with_its_fields_and_scopes() -> None:
    described = _described()
    assert described.keys() == KINDS.keys()
    for type_, kind in KINDS.items():
        fields, title = described[type_]
        assert set(kind.data) <= fields, type_
        told = set(re.findall(r"[a-z]+:read", title))
        assert kind.scopes <= told, type_


def test_scopes_are_ones_that_a_token_can_have() -> None:
    known = set(settings.SCOPES) | {"messages:read"}
    assert {scope for kind in KINDS.values() for scope in kind.scopes} <= known


def _published() -> set[str]:
    """Every type of event that code publishes, in services and in functions of the database."""
    found: set[str] = set()
    for path in (ROOT / "api").rglob("*.py"):
        text = path.read_text()
        if "migrations" in path.parts:
            for statement in text.split("INSERT INTO realtime_event")[1:]:
                found |= set(re.findall(r"VALUES \(\s*'([a-z_.]+)'", statement[:300]))
            continue
        if "services" not in str(path.relative_to(ROOT / "api")):
            continue
        for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in _PUBLISHERS:
                for argument in call.args:
                    found |= set(_types(argument))
    return found


def _types(node: ast.expr) -> Iterator[str]:
    # What a project does and what is then published have names alike; the verb of the event is past.
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[a-z]+\.[a-z_]+", node.value):
        if node.value not in {"project.pause", "project.resume"}:
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        start, hole = node.values
        assert isinstance(start, ast.Constant)
        assert isinstance(hole, ast.FormattedValue)
        for value in _FILLED[ast.unparse(hole.value)]:
            yield f"{start.value}{value}"


def test_every_event_that_is_published_is_in_the_catalogue() -> None:
    published = _published()
    assert {"assignment.claimed", "payout.paid", "project.closed", "assignment.bonus"} <= published
    assert published - FOR_JOBS_ALONE == KINDS.keys()


def test_the_page_for_people_lists_every_event_and_close_code() -> None:
    text = (ROOT / "docs" / "realtime.md").read_text()
    assert {type_ for type_ in KINDS if f"`{type_}`" not in text} == set()
    for code in (4400, 4401, 4403, 4408, 4409, 1001, 1009, 1013):
        assert f"| {code} |" in text


def test_frames_are_as_described_and_hold_no_user() -> None:
    """Whatever a service writes into an event: neither its audience nor what the catalogue does not name is sent."""
    frame = Draft7Validator(_inlined(document()["components"]["messages"]["event"]["payload"]))
    worker = User(id=uuid4())
    for number, (type_, kind) in enumerate(KINDS.items(), 1):
        data: dict[str, Any] = dict.fromkeys(kind.data, str(uuid7()))
        data |= {name: 5 for name in ("amount", "added", "version", "count", "notification") if name in kind.data}
        data |= {"worker": str(worker.id), "by": str(worker.id), "user": str(worker.id), "email": "a@example.org"}
        seen = cursor.Seen(number, timezone.now(), type_, uuid4(), [worker.id], data, 1, 1)
        sent = item(seen, "").frame
        assert str(worker.id).encode() not in sent
        assert b"@" not in sent
        body = orjson.loads(sent[sent.index(b"{") :])
        assert [error.message for error in frame.iter_errors(body)] == [], type_
        assert body["data"].keys() == set(kind.data)


def _inlined(node: Any) -> Any:
    if isinstance(node, dict):
        return (
            _inlined(_resolved(node["$ref"])) if "$ref" in node else {key: _inlined(each) for key, each in node.items()}
        )
    return [_inlined(each) for each in node] if isinstance(node, list) else node
