"""Examples for the API description, made from the schema of a body; names of fields give the values."""

from typing import Any
from zlib import crc32

_ID = "0198c1f2-7d3a-7c4e-9b1a-2f6d8e0a"
_AT = "2026-03-14T09:26:53Z"
# 108 photos, 3 answers each, 15 cents an answer; an answer takes 26 seconds.
_AMOUNTS = {
    "reward": 15,
    "total": 4860,
    "fee": 0,
    "missing": 0,
    "purse": 100_000,
    "balance": 95_140,
    "balance_after": 95_140,
    "escrow": 4860,
    "spent": 0,
    "hourly_wage": 2077,
    "today": 390,
    "week": 2145,
    "month": 8370,
    "pending": 45,
    "earned": 390,
    "paid": 4770,
    "bonus": 5,
    "min_payout": 100,
    "amount": 5000,
    "funded": 4860,
}
# What a field of this name holds, where its type alone would say nothing; `shape.field` goes before `field`.
_BY_NAME: dict[str, Any] = {
    "requester.name": "Duck watchers",
    "collective.name": "Duck watchers",
    "CollectiveIn.name": "Duck watchers",
    "CollectiveOut.name": "Duck watchers",
    "PurseOut.name": "Duck watchers",
    "ApplicationIn.name": "Bird counter",
    "ApplicationOut.name": "Bird counter",
    "NewApplicationOut.name": "Bird counter",
    "AuthorisedApplicationOut.name": "Bird counter",
    "ProviderOut.name": "manual",
    "TaskRecordIn.key": "0017",
    "TaskOut.key": "0017",
    "task.key": "0017",
    "provider": "manual",
    "methods": ["bank"],
    "destination.method": "bank",
    "category": "",
    "RejectIn.category": "wrong",
    "RejectManyIn.category": "wrong",
    "decision.comment": "Thank you.",
    "by_clock": False,
    "to": "submitted",
    "hidden": False,
    "bare": False,
    "late": False,
    "forfeit": False,
    "current": True,
    "created_at": "2026-03-13T16:02:11Z",
    "published_at": "2026-03-13T16:40:00Z",
    "expires_at": "2026-03-14T09:41:53Z",
    "late_until": "2026-03-14T09:43:53Z",
    "submitted_at": "2026-03-14T09:27:19Z",
    "saved_at": "2026-03-14T09:27:02Z",
    "auto_accept_at": "2026-03-17T09:27:19Z",
    "decided_at": "2026-03-14T15:03:40Z",
    "tasks": 108,
    "assignments": 324,
    "accepted": 318,
    "tasks_left": 108,
    "lines": 108,
    "added": 108,
    "rejected": 0,
    "duplicates": 0,
    "fee_bps": 0,
    "unfunded_places": 0,
    "rejections_counted": 12,
    "draft": {"label": "1"},
    "priors": {"0": 0.56, "1": 0.44},
    "classes": ["0", "1"],
    "QuoteOut.problems": [],
    "ResultsSummaryOut.answers": 324,
    "ResultsSummaryOut.workers": 39,
    "alpha": 0.38,
    "log_likelihood": -157.3,
    "iterations": 14,
    "gold.tasks": 20,
    "gold.right": 18,
    "distribution": {"0": 60, "1": 48},
    "tie": None,
    "NotificationOut.kind": "assignment.accepted",
    "NotificationOut.data": {"title": "Is there a duck in the photo?"},
    "title": "Is there a duck in the photo?",
    "summary": "Look at one photo and say whether it shows a duck.",
    "instructions": "Look at the **whole** photo. Decoys of wood count as ducks.",
    "instructions_html": "<p>Look at the <strong>whole</strong> photo. Decoys of wood count as ducks.</p>",
    "name": "Ana Pereira",
    "email": "ana@example.org",
    "confirm": "ana@example.org",
    "locale": "en",
    "timezone": "Europe/Lisbon",
    "ip": "203.0.113.7",
    "user_agent": "Mozilla/5.0",
    "uses": ["work", "request"],
    "scopes": ["work:read", "work:write"],
    "keywords": ["photo", "birds"],
    "redirect_uris": ["https://app.example.org/signed-in"],
    "client_id": "x3hQ7bM0tq2cVn8sKfYJ",
    "client_secret": "shown-once-when-it-is-made",
    "filename": "photos.csv",
    "format": "csv",
    "line": 17,
    "column": "image",
    "key": "label",
    "label": "1",
    "field": "title",
    "code": "invalid_value",
    "detail": "This is not a web address.",
    "worker": "K7Q2M9XD",
    "reason": "The bounding box leaves out half of the bird.",
    "comment": "Please look at the left edge again.",
    "memo": "Task 12 of “Is there a duck in the photo?”",
    "why": "submitted by the worker",
    "reference": "Invoice 2026-031",
    "method": "bank",
    "details": "PT50 0002 0123 1234 5678 9015 4",
    "input": {"image": "https://images.example.org/0017.jpg"},
    "example_input": {"image": "https://images.example.org/0017.jpg"},
    "answer": {"label": "1"},
    "gold": {"label": "1"},
    "input_schema": {
        "type": "object",
        "required": ["image"],
        "properties": {"image": {"type": "string", "format": "uri"}},
    },
    "answer_schema": {
        "type": "object",
        "required": ["label"],
        "properties": {"label": {"type": "string", "enum": ["0", "1"]}},
    },
    "interface": {
        "kind": "elements",
        "elements": [
            {"show": "image", "from": "image", "alt": "The photo to look at"},
            {
                "ask": "choice",
                "key": "label",
                "label": "Is there a duck?",
                "options": [{"value": "1", "label": "Yes, a duck"}, {"value": "0", "label": "No duck"}],
            },
        ],
    },
    "claim_lasts": 900,
    "auto_accept_after": 259200,
    "assignments_per_task": 3,
    "expected_minutes": 0.5,
    "median_seconds": 26,
    "seconds": 26,
    "rejection_rate": 0.004,
    "agreement": 0.91,
    "accuracy": 0.89,
    "confidence": 0.97,
    "currency": "USD",
    "cursor": "WyIwMTk4YzFmMiJd",
}
_BY_FORMAT: dict[str, Any] = {
    "date-time": _AT,
    "date": _AT[:10],
    "uri": "https://example.org/",
    "email": "ana@example.org",
    "ip": "203.0.113.7",
    "double": 0.5,
}
_BY_TYPE: dict[str, Any] = {"integer": 3, "number": 0.5, "boolean": True, "string": "text"}


def example_of(schema: dict[str, Any], schemas: dict[str, Any], name: str = "", shape: str = "", depth: int = 0) -> Any:
    """A value that `schema` allows. `schemas` are the components it may refer to; `name` is the field it is for, and
    `shape` the component or the field that this is part of.
    """
    if "$ref" in schema:
        referred = schema["$ref"].rpartition("/")[2]
        if referred in {"MoneyIn", "PositiveMoneyIn", "MoneyOut"}:
            return {"amount": _AMOUNTS.get(name, 15), "currency": "USD"}
        return example_of(schemas[referred], schemas, name, name or referred, depth + 1)
    for fixed in ("example", "const"):
        if fixed in schema:
            return schema[fixed]
    kinds = schema.get("type", [])
    kind = next((each for each in kinds if each != "null"), None) if isinstance(kinds, list) else kinds
    bare = not {"allOf", "oneOf", "anyOf", "properties"} & schema.keys()
    for known in (f"{shape}.{name}", name) if bare else ():
        if known in _BY_NAME and _fits(_BY_NAME[known], kinds, schema.get("enum")):
            return _BY_NAME[known]
    if schema.get("enum"):
        return schema["enum"][0]
    for several in ("allOf", "oneOf", "anyOf"):
        if schema.get(several):
            return example_of(schema[several][0], schemas, name, shape, depth)
    if schema.get("format") == "uuid":
        return f"{_ID}{crc32(name.encode()) & 0xFFFF:04x}"
    if schema.get("format") in _BY_FORMAT and kind == "string":
        return _BY_FORMAT[schema["format"]]
    if kind == "array":
        items = schema.get("items", {})
        return [example_of(items, schemas, name.removesuffix("s"), "" if "$ref" in items else shape, depth + 1)]
    if kind == "object" or "properties" in schema:
        if depth > 8:
            return {}
        found = schema.get("properties", {})
        return {key: example_of(value, schemas, key, shape, depth + 1) for key, value in found.items()}
    if kind == "integer":
        return max(3, schema.get("minimum", 3))
    return _BY_TYPE.get(str(kind), {})


def _fits(value: Any, kinds: str | list[str], choices: list[Any] | None) -> bool:
    if choices:
        return value in choices
    names = kinds if isinstance(kinds, list) else [kinds]
    return not names or any(isinstance(value, _TYPES[kind]) for kind in names)


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
