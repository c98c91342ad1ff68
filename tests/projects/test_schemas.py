"""Schemas: which are taken, and what is said about values that do not fit."""

from time import process_time

import pytest
from uuid_utils.compat import uuid7

from api.projects import schemas

LABEL = {
    "type": "object",
    "properties": {
        "label": {"enum": ["duck", "no duck"]},
        "sure": {"type": "boolean"},
        "count": {"type": "integer", "minimum": 0, "maximum": 9},
        "on": {"type": "string", "format": "date"},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$", "maxLength": 3},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    },
    "required": ["label"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"type": "object"},
        LABEL,
        {"$schema": schemas.DIALECT, "type": "object"},
        {"type": "object", "$defs": {"x": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/x"}}},
        {"type": "object", "properties": {"enum": {"enum": ["$ref"]}, "$ref": {"type": "string"}}},
    ],
)
def test_right_schemas_are_taken(document) -> None:
    assert schemas.check_schema(document, "input_schema") == []


def _chain(length: int, width: int = 1) -> dict:
    parts = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * width} for i in range(length)}
    return {"type": "object", "$defs": {**parts, f"d{length}": {}}, "$ref": "#/$defs/d0"}


def _nested(depth: int) -> dict:
    document: dict = {"type": "object"}
    for _ in range(depth):
        document = {"type": "object", "properties": {"a": document}}
    return document


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], "s"),
        ("object", "s"),
        ({"type": "array"}, "s.type"),
        ({"properties": {}}, "s.type"),
        ({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"}, "s.$schema"),
        ({"type": "object", "properties": {"a": {"enum": 3}}}, "s.properties.a.enum"),
        ({"type": "object", "properties": {"a": {"type": "text"}}}, "s.properties.a.type"),
        ({"type": "object", "properties": {"a": {"$ref": "https://example.org/s"}}}, "s.properties.a.$ref"),
        ({"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}, "s.properties.a.$ref"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/no"}}}, "s.properties.a.$ref"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, "s.properties.a.$ref"),
        ({"type": "object", "$ref": "#"}, "s.$ref"),
        ({"type": "object", "properties": {"a": {"$dynamicRef": "#x"}}}, "s.properties.a.$dynamicRef"),
        ({"type": "object", "properties": {"a": {"$id": "https://x.org/"}}}, "s.properties.a.$id"),
        ({"type": "object", "properties": {"a": {"pattern": "("}}}, "s.properties.a.pattern"),
        ({"type": "object", "properties": {"a": {"pattern": "(?=a)b"}}}, "s.properties.a.pattern"),
        ({"type": "object", "properties": {"a": {"pattern": "((a{100}){100}){100}"}}}, "s.properties.a.pattern"),
        ({"type": "object", "properties": {" a": {}}}, "s.properties. a"),
        ({"type": "object", "description": "x" * 70_000}, "s"),
        (_chain(20, 2), "s.$defs.d0.allOf.0.$ref"),
        (_chain(1500), "s.$defs.d0.allOf.0.$ref"),
    ],
)
def test_wrong_schemas_are_refused_with_their_path(document, field) -> None:
    found = schemas.check_schema(document, "s")
    assert [error.field for error in found] == [field]
    assert found[0].code == "invalid_schema"
    assert found[0].detail.endswith(".")


@pytest.mark.parametrize("depth", [15, 500, 5000])
def test_a_schema_nested_too_deeply_is_refused(depth) -> None:
    assert schemas.check_schema(_nested(depth), "s")


def test_a_pattern_cannot_be_made_to_run_for_ever() -> None:
    document = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    assert schemas.check_schema(document, "s") == []
    validator = schemas.compile_schema(document)
    assert not validator.is_valid({"a": "a" * 100_000 + "!"})


@pytest.mark.parametrize(
    ("value", "field", "code", "detail"),
    [
        ({}, "label", "required", "This is required."),
        ({"label": "goose"}, "label", "not_an_option", 'Must be one of "duck", "no duck".'),
        ({"label": "duck", "sure": "yes"}, "sure", "wrong_type", "Must be true or false."),
        ({"label": "duck", "count": 1.5}, "count", "wrong_type", "Must be a whole number."),
        ({"label": "duck", "count": 10}, "count", "invalid", "Must be 9 or less."),
        ({"label": "duck", "count": -1}, "count", "invalid", "Must be 0 or more."),
        ({"label": "duck", "on": "2026-02-30"}, "on", "invalid", "Must be written as a date."),
        ({"label": "duck", "code": "ab"}, "code", "invalid", "Must match the pattern ^[A-Z]{3}$."),
        ({"label": "duck", "tags": ["a", "a"]}, "tags", "invalid", "No entry may occur twice."),
        ({"label": "duck", "tags": ["a", 1]}, "tags.1", "wrong_type", "Must be text."),
        ({"label": "duck", "size": 1}, "size", "unknown_field", "There is no such key in the schema."),
    ],
)
def test_problems_are_told_in_plain_words_by_key(value, field, code, detail) -> None:
    (found,) = schemas.problems(schemas.compile_schema(LABEL), value)
    assert (found.field, found.code, found.detail) == (field, code, detail)


@pytest.mark.parametrize(
    ("rule", "value", "detail"),
    [
        ({"minLength": 1}, "", "Must not be empty."),
        ({"minItems": 1}, [], "Must not be empty."),
        ({"minLength": 2}, "a", "Must have at least 2 characters."),
    ],
)
def test_what_must_not_be_empty_is_told_without_a_number(rule, value, detail) -> None:
    validator = schemas.compile_schema({"type": "object", "properties": {"text": rule}})
    assert [found.detail for found in schemas.problems(validator, {"text": value})] == [detail]


def test_a_value_that_fits_has_no_problem() -> None:
    value = {"label": "duck", "sure": True, "count": 3, "on": "2026-02-28", "code": "ABC", "tags": ["a", "b"]}
    assert schemas.problems(schemas.compile_schema(LABEL), value) == []


def test_all_problems_come_at_once_and_no_more_than_asked_for() -> None:
    document = {"type": "object", "required": [f"k{i}" for i in range(100)]}
    validator = schemas.compile_schema(document)
    assert len(schemas.problems(validator, {})) == schemas.MAX_PROBLEMS
    assert len(schemas.problems(validator, {}, 3)) == 3


def test_a_published_version_is_compiled_once_and_its_document_read_once() -> None:
    version, reads = uuid7(), []

    def document() -> dict:
        reads.append(1)
        return LABEL

    first = schemas.validator_for(version, "answer", document)
    assert schemas.validator_for(version, "answer", document) is first
    assert schemas.validator_for(version, "input", document) is not first
    assert len(reads) == 2


def test_a_partial_schema_requires_nothing_and_keeps_definitions() -> None:
    document = {
        "type": "object",
        "$defs": {"label": {"enum": ["a", "b"]}},
        "properties": {"x": {"$ref": "#/$defs/label"}, "y": {"type": "string"}},
        "required": ["x", "y"],
    }
    validator = schemas.compile_schema(schemas.partial_schema(document))
    assert validator.is_valid({})
    assert validator.is_valid({"x": "a"})
    assert not validator.is_valid({"x": "c"})
    assert not validator.is_valid({"z": 1})


@pytest.mark.parametrize(
    ("part", "types"),
    [
        ({"type": "integer"}, {"integer"}),
        ({"type": ["string", "null"]}, {"string", "null"}),
        ({"enum": [1, True]}, {"integer", "boolean"}),
        ({"const": "x"}, {"string"}),
        ({"$ref": "#/$defs/d"}, {"array"}),
        ({"minLength": 1}, set()),
    ],
)
def test_the_types_of_a_part(part, types) -> None:
    assert schemas.types_of({"$defs": {"d": {"type": "array"}}}, part) == types


def test_labelable_keys_are_closed_sets_first_then_text_and_whole_numbers() -> None:
    document = {
        "type": "object",
        "properties": {
            "why": {"type": "string"},
            "label": {"type": "string", "enum": ["a", "b"]},
            "n": {"type": "integer"},
            "weight": {"type": "number"},
            "yes": {"type": "boolean"},
            "many": {"type": "array"},
            "on": {"type": "string", "format": "date"},
            "any": {},
        },
    }
    assert schemas.labelable_keys(document) == ["label", "yes", "why", "n"]


@pytest.mark.parametrize(
    "part",
    [
        {"properties": {f"k{n}": {"pattern": rf"\p{{L}}{{20}}{n}"} for n in range(1000)}},
        {"patternProperties": {rf"\p{{L}}{{20}}{n}": True for n in range(1000)}},
        {
            "$defs": {"word": {"pattern": r"\p{L}{20}"}},
            "properties": {f"k{n}": {"$ref": "#/$defs/word"} for n in range(1000)},
        },
    ],
)
def test_patterns_that_would_fill_the_memory_are_refused_before_they_are_compiled(part) -> None:
    started = process_time()
    (problem,) = schemas.check_schema({"type": "object", **part}, "s")
    assert "a pattern counts as 50" in problem.detail
    assert process_time() - started < 0.5


@pytest.mark.parametrize("pattern", [r"^\p{L}+$", r"^\w+@\w+\.\w+$", "^[a-z]{1,500}$", "^.{1,200}$", "^[^<>]{1,140}$"])
def test_fifty_honest_patterns_are_taken(pattern) -> None:
    fields = {f"k{n}": {"type": "string", "pattern": pattern} for n in range(50)}
    assert schemas.check_schema({"type": "object", "properties": fields}, "s") == []
