"""JSON Schema (2020-12) for task inputs and answers: checked when saved, compiled once, told in plain words.

A schema comes from a stranger and runs for every answer, so it is bounded before it is compiled: 64 kB, 20
levels, references only to its own parts and never in a circle, 5,000 subschemas when they are all written
out (a pattern counts as 50), and patterns for an engine whose time grows linearly with the text.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from threading import Lock
from typing import Any, Literal
from urllib.parse import unquote
from uuid import UUID

import orjson
from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

from api.core.errors import FieldError

Schema = dict[str, Any]
Which = Literal["input", "answer"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_BYTES = 65_536
MAX_DEPTH = 20
MAX_SUBSCHEMAS = 5_000
MAX_KEY = 120
MAX_PROBLEMS = 50
_MAX_CHAIN = 100

# A pattern such as \p{L}{9} takes hundreds of kilobytes when compiled, and milliseconds to compile: so few of them.
_PATTERN_COST = 50
_REGEX = RegexOptions(size_limit=1 << 18, dfa_size_limit=1 << 18)
_MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_DATA = frozenset({"enum", "const", "default", "examples", "required", "type", "dependentRequired"})
_REFUSED = frozenset({"$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary"})
_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


class _Refused(Exception):
    """A schema that is not compiled; `path` leads to the part at fault."""

    def __init__(self, path: list[str], detail: str) -> None:
        super().__init__(detail)
        self.path = path
        self.detail = detail


def check_schema(document: Any, field: str) -> list[FieldError]:
    """What is wrong with a schema; empty when it may be saved. Paths start with `field`.

    The empty schema is right: a draft may have none yet.
    """
    if document == {}:
        return []
    try:
        _require_bounds(document)
        compile_schema(document)
    except _Refused as refused:
        path = refused.path
        if "$ref" in path:
            path = path[: path.index("$ref") + 1]
        return [FieldError(".".join([field, *path]), refused.detail, "invalid_schema")]
    except ValidationError as error:
        path = [str(part) for part in error.instance_path]
        return [FieldError(".".join([field, *path]), _sentence(error), "invalid_schema")]
    return []


def compile_schema(document: Schema) -> Draft202012Validator:
    """A validator that fetches nothing and asserts formats. Raises jsonschema_rs.ValidationError."""
    return Draft202012Validator(document, validate_formats=True, offline=True, pattern_options=_REGEX)


_validators: dict[tuple[UUID, Which], Draft202012Validator] = {}
_guard = Lock()
_KEPT = 1024


def validator_for(version_id: UUID, which: Which, document: Schema | Callable[[], Schema]) -> Draft202012Validator:
    """The compiled schema of a *published* version, which never changes, so it is compiled once a process.

    `document` may be a function, called only when the validator is not at hand.
    """
    key = (version_id, which)
    validator = _validators.get(key)
    if validator is None:
        validator = compile_schema(document() if callable(document) else document)
        with _guard:
            while len(_validators) >= _KEPT:
                _validators.pop(next(iter(_validators)))
            _validators[key] = validator
    return validator


@lru_cache(maxsize=256)
def _by_text(text: bytes) -> Draft202012Validator:
    return compile_schema(orjson.loads(text))


def draft_validator(document: Schema) -> Draft202012Validator:
    """The compiled form of a schema that may still change: found again by its text."""
    return _by_text(orjson.dumps(document))


def problems(validator: Draft202012Validator, value: Any, limit: int = MAX_PROBLEMS) -> list[FieldError]:
    """What is wrong with a value: each key at fault, by its dotted path; at most `limit` entries."""
    return list(islice(_problems(validator, value), limit))


def _problems(validator: Draft202012Validator, value: Any) -> Iterator[FieldError]:
    for error in validator.iter_errors(value):
        path = [str(part) for part in error.instance_path]
        kind = error.kind.name
        if kind == "required":
            yield FieldError(".".join([*path, error.kind.value]), "This is required.", "required")
        elif kind in {"additionalProperties", "unevaluatedProperties"}:
            for name in error.kind.value:
                yield FieldError(".".join([*path, str(name)]), "There is no such key in the schema.", "unknown_field")
        else:
            code = {"type": "wrong_type", "enum": "not_an_option", "const": "not_an_option"}.get(kind, "invalid")
            yield FieldError(".".join(path), _sentence(error), code)


def properties_of(schema: Schema) -> dict[str, Schema]:
    """The schema's named keys, in their order; those whose subschema is `true` count as unrestricted."""
    named = schema.get("properties")
    if not isinstance(named, dict):
        return {}
    return {name: part if isinstance(part, dict) else {} for name, part in named.items()}


def required_of(schema: Schema) -> set[str]:
    """The keys a value must have."""
    names = schema.get("required")
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def partial_schema(schema: Schema) -> Schema:
    """The schema's keys, each as it is described, none required and no other allowed."""
    part: Schema = {name: schema[name] for name in ("$defs", "definitions") if name in schema}
    part |= {"type": "object", "properties": properties_of(schema), "additionalProperties": False}
    return part


def types_of(schema: Schema, subschema: Schema) -> set[str]:
    """The JSON types a value under `subschema` may have, as far as `type`, `enum`, `const` and `$ref` tell.

    Empty when they do not.
    """
    for _ in range(MAX_DEPTH):
        if "type" in subschema:
            named = subschema["type"]
            return {named} if isinstance(named, str) else set(named)
        values = subschema.get("enum", [subschema["const"]] if "const" in subschema else None)
        if isinstance(values, list):
            return {type_name(value) for value in values}
        reference = subschema.get("$ref")
        if not isinstance(reference, str):
            break
        target = _target(schema, reference)
        if not isinstance(target, dict):
            break
        subschema = target
    return set()


def type_name(value: Any) -> str:
    """JSON Schema's name for the type of a value."""
    if isinstance(value, bool):
        return "boolean"
    for kind, name in (
        (str, "string"),
        (int, "integer"),
        (float, "number"),
        (list, "array"),
        (dict, "object"),
    ):
        if isinstance(value, kind):
            return name
    return "null"


def labelable_keys(answer_schema: Schema) -> list[str]:
    """The keys of an answer that hold one label each, so that answers can be counted against each other.

    Options, true or false, whole numbers and short text; keys with a closed set of values come first.
    """
    closed, loose = [], []
    for name, part in properties_of(answer_schema).items():
        types = types_of(answer_schema, part) - {"null"}
        if not types <= {"string", "integer", "boolean"} or "format" in part:
            continue
        if "enum" in part or "const" in part or types == {"boolean"}:
            closed.append(name)
        elif types:
            loose.append(name)
    return closed + loose


def _require_bounds(document: Any) -> None:
    if not isinstance(document, dict):
        raise _Refused([], "A schema is a JSON object.")
    try:
        size = len(orjson.dumps(document))
    except (TypeError, orjson.JSONEncodeError):
        raise _Refused([], "The schema is nested too deeply.") from None
    if size > MAX_BYTES:
        raise _Refused([], f"The schema has {size:,} bytes; the most is {MAX_BYTES:,}.")
    _require_depth(document, [])
    if str(document.get("$schema", DIALECT)).rstrip("#") != DIALECT:
        raise _Refused(["$schema"], f"Schemas here are JSON Schema 2020-12 ({DIALECT}).")
    if document.get("type") != "object":
        raise _Refused(["type"], 'The schema must have "type": "object" at its root.')
    for name in properties_of(document):
        if not 1 <= len(name) <= MAX_KEY or not name.isprintable() or name != name.strip():
            raise _Refused(["properties", name], f"A key has 1 to {MAX_KEY} visible characters.")
    _cost(document, document, [], {}, set())


def _require_depth(value: Any, path: list[str]) -> None:
    if len(path) > MAX_DEPTH:
        raise _Refused(path[:3], f"The schema is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, dict):
        for name, part in value.items():
            _require_depth(part, [*path, name])
    elif isinstance(value, list):
        for index, part in enumerate(value):
            _require_depth(part, [*path, str(index)])


def _cost(root: Schema, node: Any, path: list[str], known: dict[int, int], open_: set[int]) -> int:
    """How many subschemas `node` stands for with its references written out. Raises _Refused."""
    if not isinstance(node, dict):
        return 1
    if id(node) in known:
        return known[id(node)]
    if len(path) > _MAX_CHAIN:
        raise _Refused(path, "Too many references lead to one another.")
    if id(node) in open_:
        raise _Refused(path, "A schema must not refer to itself.")
    open_.add(id(node))
    total = 1
    for name, part in node.items():
        place = [*path, name]
        total += _PATTERN_COST if name == "pattern" else 0
        if name == "$ref" and isinstance(part, str):
            total += _cost(root, _referred(root, part, place), place, known, open_)
        elif name in _REFUSED or (name == "$id" and path):
            raise _Refused(place, f"{name} is not taken here; use $defs and $ref.")
        elif name in _MAPS and isinstance(part, dict):
            total += _PATTERN_COST * len(part) if name == "patternProperties" else 0
            total += sum(_cost(root, each, [*place, key], known, open_) for key, each in part.items())
        elif isinstance(part, list) and name not in _DATA:
            total += sum(_cost(root, each, [*place, str(i)], known, open_) for i, each in enumerate(part))
        elif isinstance(part, dict) and name not in _DATA:
            total += _cost(root, part, place, known, open_)
        if total > MAX_SUBSCHEMAS:
            most = f"{MAX_SUBSCHEMAS:,} subschemas; a pattern counts as {_PATTERN_COST}"
            raise _Refused(path, f"The schema stands for more than {most}.")
    open_.discard(id(node))
    known[id(node)] = total
    return total


def _referred(root: Schema, reference: str, path: list[str]) -> Any:
    if not reference.startswith("#"):
        raise _Refused(path, "A schema may refer only to its own parts, such as #/$defs/label.")
    target = _target(root, reference)
    if target is None:
        raise _Refused(path, f"{reference} is not in this schema.")
    return target


def _target(root: Schema, reference: str) -> Any:
    """What a `#/…` reference leads to; None when it leads nowhere."""
    if reference == "#":
        return root
    if not reference.startswith("#/"):
        return None
    node: Any = root
    for part in unquote(reference[2:]).split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping):
            node = node.get(name)
        elif isinstance(node, list) and name.isdigit() and int(name) < len(node):
            node = node[int(name)]
        else:
            return None
    return node


def _shown(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else text[:57] + "…"


def _sentence(error: ValidationError) -> str:
    """The problem as one sentence for people."""
    kind, value = error.kind.name, error.kind.value
    if kind == "type":
        return f"Must be {' or '.join(_NAMES.get(name, name) for name in value)}."
    if kind == "enum":
        options = [_shown(option) for option in value]
        if len(options) > 10:
            options = [*options[:10], f"{len(options) - 10} more"]
        return f"Must be one of {', '.join(options)}."
    counted = {
        "minLength": "Must have at least {} characters.",
        "maxLength": "Must have at most {} characters.",
        "minItems": "Must have at least {} entries.",
        "maxItems": "Must have at most {} entries.",
        "minProperties": "Must have at least {} keys.",
        "maxProperties": "Must have at most {} keys.",
        "minimum": "Must be {} or more.",
        "maximum": "Must be {} or less.",
        "exclusiveMinimum": "Must be more than {}.",
        "exclusiveMaximum": "Must be less than {}.",
        "multipleOf": "Must be a multiple of {}.",
        "pattern": "Must match the pattern {}.",
        "format": "Must be written as a {}.",
    }
    if kind == "format" and value == "regex":
        return "Must be a regular expression without look-around and back-references, and not too large."
    if value == 1 and kind in {"minLength", "minItems", "minProperties"}:
        return "Must not be empty."
    if kind in counted:
        return counted[kind].format(value)
    if kind == "const":
        return f"Must be {_shown(value)}."
    if kind == "uniqueItems":
        return "No entry may occur twice."
    if kind == "required":
        return f"{value} is required."
    if kind in {"anyOf", "oneOfNotValid", "oneOfMultipleValid", "oneOf"}:
        return "Fits none of the forms that are allowed here."
    if kind == "contains":
        return "Lacks an entry that is required."
    if kind in {"falseSchema", "not"}:
        return "Is not allowed here."
    first = error.message.splitlines()[0] if error.message else "Is not valid"
    return first[:1].upper() + first[1:].rstrip(".")[:300] + "."
