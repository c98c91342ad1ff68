"""Examples for the API description, made from the schema of a body; names of fields give the values."""

from typing import Any

_ID = "0198c1f2-7d3a-7c4e-9b1a-2f6d8e0a4c51"
_AT = "2026-03-14T09:26:53Z"
_MONEY = {"amount": 15, "currency": "USD"}

# What a field of this name holds, where its type alone would say nothing.
_BY_NAME: dict[str, Any] = {
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
    "uuid": _ID,
    "date-time": _AT,
    "date": _AT[:10],
    "uri": "https://example.org/",
    "email": "ana@example.org",
    "ip": "203.0.113.7",
    "double": 0.5,
}
_BY_TYPE: dict[str, Any] = {"integer": 3, "number": 0.5, "boolean": True, "string": "text"}


def example_of(schema: dict[str, Any], schemas: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value that `schema` allows. `schemas` are the components it may refer to; `name` is the field it is for."""
    if "$ref" in schema:
        referred = schema["$ref"].rpartition("/")[2]
        if referred in {"MoneyIn", "MoneyOut", "MoneyInRequest"}:
            return dict(_MONEY)
        return example_of(schemas[referred], schemas, name, depth + 1)
    for fixed in ("example", "const"):
        if fixed in schema:
            return schema[fixed]
    if schema.get("enum"):
        return schema["enum"][0]
    for several in ("allOf", "oneOf", "anyOf"):
        if schema.get(several):
            return example_of(schema[several][0], schemas, name, depth)
    kinds = schema.get("type", [])
    kind = next((each for each in kinds if each != "null"), None) if isinstance(kinds, list) else kinds
    if schema.get("format") in _BY_FORMAT and kind == "string":
        return _BY_FORMAT[schema["format"]]
    if name in _BY_NAME and _fits(_BY_NAME[name], kind):
        return _BY_NAME[name]
    if kind == "array":
        return [example_of(schema.get("items", {}), schemas, name.removesuffix("s"), depth + 1)]
    if kind == "object" or "properties" in schema:
        if depth > 8:
            return {}
        return {key: example_of(value, schemas, key, depth + 1) for key, value in schema.get("properties", {}).items()}
    if kind == "integer":
        return max(3, schema.get("minimum", 3))
    return _BY_TYPE.get(str(kind), {})


def _fits(value: Any, kind: str | None) -> bool:
    types: dict[str | None, type | tuple[type, ...]] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "array": list,
        "object": dict,
    }
    return kind is None or isinstance(value, types.get(kind, object))
