"""Interface documents: their form, their fit with the schemas, and the schemas they imply."""

from copy import deepcopy
from typing import Any

import pytest

from api.projects import interface, schemas

DUCKS: dict[str, Any] = {
    "kind": "elements",
    "elements": [
        {"show": "markdown", "text": "Look at the picture."},
        {"show": "image", "from": "image", "alt": "the picture"},
        {
            "ask": "choice",
            "key": "label",
            "label": "Is there a duck?",
            "required": True,
            "options": [{"value": "1", "label": "Yes, a duck"}, {"value": "0", "label": "No duck"}],
        },
        {
            "ask": "choices",
            "key": "birds",
            "label": "Which birds?",
            "options": [{"value": "duck", "label": "Duck"}, {"value": "goose", "label": "Goose"}],
        },
        {"ask": "text", "key": "why", "label": "Why?", "help": "A word", "multiline": True, "max_length": 500},
        {"ask": "number", "key": "weight", "label": "How heavy (kg)?", "min": 0, "max": 20.5},
        {
            "ask": "scale",
            "key": "sure",
            "label": "How sure?",
            "min": 1,
            "max": 5,
            "min_label": "not",
            "max_label": "very",
            "required": True,
        },
        {"ask": "date", "key": "on", "label": "When was it taken?"},
        {
            "ask": "ranking",
            "key": "order",
            "label": "Order them",
            "options": [{"value": 1, "label": "one"}, {"value": 2, "label": "two"}, {"value": 3, "label": "three"}],
        },
    ],
}
INPUT, ANSWER = interface.schemas_of(DUCKS)


def changed(index: int, **members: Any) -> dict[str, Any]:
    """DUCKS with members of one element set, or taken away when None."""
    document = deepcopy(DUCKS)
    element = document["elements"][index]
    for name, value in members.items():
        if value is None:
            element.pop(name, None)
        else:
            element[name.rstrip("_")] = value
    return document


def fields(document: Any, answer: Any = None) -> list[str]:
    return [error.field for error in interface.check_interface(document, INPUT, answer or ANSWER)]


def test_the_schemas_it_implies_are_right_and_fit_it() -> None:
    assert schemas.check_schema(INPUT, "input_schema") == []
    assert schemas.check_schema(ANSWER, "answer_schema") == []
    assert interface.check_interface(DUCKS, INPUT, ANSWER) == []
    assert INPUT["required"] == ["image"]
    assert ANSWER["required"] == ["label", "sure"]


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"label": "1", "sure": 3}, None),
        ({"label": "0", "sure": 1, "birds": ["duck"], "why": "", "weight": 1.5, "on": "2026-01-31"}, None),
        ({"label": "0", "sure": 1, "order": [3, 1, 2]}, None),
        ({"label": "0", "sure": 1, "birds": []}, None),
        ({"sure": 3}, "label"),
        ({"label": "2", "sure": 3}, "label"),
        ({"label": "1", "sure": 6}, "sure"),
        ({"label": "1", "sure": 2.5}, "sure"),
        ({"label": "1", "sure": 1, "order": [1, 1, 2]}, "order"),
        ({"label": "1", "sure": 1, "order": [1, 2]}, "order"),
        ({"label": "1", "sure": 1, "birds": ["duck", "duck"]}, "birds"),
        ({"label": "1", "sure": 1, "birds": ["swan"]}, "birds.0"),
        ({"label": "1", "sure": 1, "weight": 21}, "weight"),
        ({"label": "1", "sure": 1, "on": "yesterday"}, "on"),
        ({"label": "1", "sure": 1, "why": "x" * 501}, "why"),
        ({"label": "1", "sure": 1, "else": 1}, "else"),
    ],
)
def test_the_implied_answer_schema_takes_what_can_be_answered_and_nothing_else(answer, field) -> None:
    found = schemas.problems(schemas.compile_schema(ANSWER), answer)
    assert [error.field for error in found] == ([field] if field else [])


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (None, "interface"),
        ([], "interface"),
        ({"kind": "form"}, "interface.kind"),
        ({"elements": []}, "interface.kind"),
        ({"kind": "elements"}, "interface.elements"),
        ({"kind": "elements", "elements": []}, "interface.elements"),
        ({"kind": "elements", "elements": [{}] * 101}, "interface.elements"),
        ({"kind": "elements", "elements": ["x"]}, "interface.elements.0"),
        ({"kind": "elements", "elements": [{"show": "text", "ask": "text"}]}, "interface.elements.0"),
        ({**DUCKS, "css": "x"}, "interface.css"),
        (changed(0, show="pdf"), "interface.elements.0.show"),
        (changed(0, show=["text"]), "interface.elements.0.show"),
        (changed(0, text=None), "interface.elements.0.from"),
        (changed(0, from_="image"), "interface.elements.0.from"),
        (changed(0, text=" "), "interface.elements.0.text"),
        (changed(0, colour="red"), "interface.elements.0.colour"),
        (changed(1, alt=None), "interface.elements.1.alt"),
        (changed(1, from_=None, text="javascript:alert(1)"), "interface.elements.1.from"),
        (changed(1, from_=3), "interface.elements.1.from"),
        (changed(2, ask="guess"), "interface.elements.2.ask"),
        (changed(2, key=None), "interface.elements.2.key"),
        (changed(2, key="a\nb"), "interface.elements.2.key"),
        (changed(2, key="why"), "interface.elements.4.key"),
        (changed(2, label=None), "interface.elements.2.label"),
        (changed(2, required="yes"), "interface.elements.2.required"),
        (changed(2, options=None), "interface.elements.2.options"),
        (changed(2, options=[{"value": "1", "label": "one"}]), "interface.elements.2.options"),
        (changed(2, options=[{"value": "1", "label": "one"}] * 2), "interface.elements.2.options.1.value"),
        (
            changed(2, options=[{"value": "1", "label": "one"}, {"value": 2, "label": "two"}]),
            "interface.elements.2.options.1.value",
        ),
        (
            changed(2, options=[{"value": 1.5, "label": "one"}, {"value": "2", "label": "two"}]),
            "interface.elements.2.options.0.value",
        ),
        (
            changed(2, options=[{"value": "1"}, {"value": "2", "label": "two"}]),
            "interface.elements.2.options.0.label",
        ),
        (changed(2, multiline=True), "interface.elements.2.multiline"),
        (changed(4, max_length=0), "interface.elements.4.max_length"),
        (changed(5, min="0"), "interface.elements.5.min"),
        (changed(5, min=30), "interface.elements.5.max"),
        (changed(6, min=None), "interface.elements.6.min"),
        (changed(6, max=2.5), "interface.elements.6.max"),
        (changed(6, max=True), "interface.elements.6.max"),
        (changed(6, max=200), "interface.elements.6.max"),
        ({"kind": "html", "html": ""}, "interface.html"),
        ({"kind": "html", "html": "ü" * 50_001}, "interface.html"),
        ({"kind": "url", "url": "http://example.org/"}, "interface.url"),
        ({"kind": "url", "url": "ftp://example.org/"}, "interface.url"),
        ({"kind": "url", "url": "https:///nowhere"}, "interface.url"),
        ({"kind": "url", "url": "https://me:secret@example.org/"}, "interface.url"),
        ({"kind": "url", "url": "https://me@example.org/"}, "interface.url"),
        ({"kind": "url", "url": "http://127.0.0.1@example.org/"}, "interface.url"),
        ({"kind": "url", "url": "https://example.org:99999/"}, "interface.url"),
        ({"kind": "url", "url": "https://exa mple.org/"}, "interface.url"),
        ({"kind": "url", "url": "https://example.org/\n"}, "interface.url"),
        ({"kind": "url", "url": "javascript:alert(1)"}, "interface.url"),
        ({"kind": "url", "url": "https://example.org/", "html": "x"}, "interface.html"),
    ],
)
def test_a_wrong_document_is_refused_at_its_path(document, field) -> None:
    assert [error.field for error in interface.check_shape(document)] == [field]


def test_a_draft_may_have_none_yet_but_nothing_is_published_without() -> None:
    assert interface.check_shape({}) == []
    assert fields({}) == ["interface.kind"]


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "html", "html": "<form>…</form>"},
        {"kind": "url", "url": "https://example.org/task?x=1"},
        {"kind": "url", "url": "http://127.0.0.1:5000/task"},
        {"kind": "url", "url": "http://localhost/task"},
    ],
)
def test_own_html_and_addresses_are_taken_and_imply_any_object(document) -> None:
    assert fields(document) == []
    assert interface.schemas_of(document) == ({"type": "object"}, {"type": "object"})


def with_answer(key: str, **part: Any) -> dict[str, Any]:
    answer = deepcopy(ANSWER)
    answer["properties"][key] = part
    return answer


@pytest.mark.parametrize(
    ("document", "answer", "found"),
    [
        (changed(1, from_="photo"), ANSWER, ["interface.elements.1.from"]),
        (
            changed(2, key="answer"),
            ANSWER,
            ["interface.elements.2.key", "interface.elements"],
        ),
        (changed(2, required=None), ANSWER, ["interface.elements.2.required"]),
        (changed(4, required=True), ANSWER, ["interface.elements.4.required"]),
        (DUCKS, with_answer("label", enum=["1", "2"]), ["interface.elements.2.options.1.value"]),
        (DUCKS, with_answer("label", type="integer"), [f"interface.elements.2.options.{i}.value" for i in (0, 1)]),
        (DUCKS, with_answer("label", **{"$ref": "#/$defs/any"}), []),
        (DUCKS, with_answer("birds", type="string"), ["interface.elements.3.key"]),
        (
            DUCKS,
            with_answer("birds", type="array", items={"enum": ["duck"]}, maxItems=1),
            ["interface.elements.3.options.1.value"],
        ),
        (DUCKS, with_answer("why", type="integer"), ["interface.elements.4.key"]),
        (DUCKS, with_answer("why"), []),
        (DUCKS, with_answer("weight", type="string"), ["interface.elements.5.key"]),
        (DUCKS, with_answer("weight", type="number", maximum=20), ["interface.elements.5.max"]),
        (DUCKS, with_answer("sure", type="integer", maximum=4), ["interface.elements.6.max"]),
        (DUCKS, with_answer("on", type="number"), ["interface.elements.7.key"]),
        (DUCKS, with_answer("order", type="array", maxItems=2), ["interface.elements.8.options"]),
    ],
)
def test_document_and_schemas_must_agree(document, answer, found) -> None:
    answer.setdefault("$defs", {"any": {"enum": ["0", "1"]}})
    assert fields(document, answer) == found


def test_a_document_that_asks_nothing_is_not_published() -> None:
    document = {"kind": "elements", "elements": [{"show": "text", "text": "Hello"}]}
    assert [e.field for e in interface.check_interface(document, {}, {})] == ["interface.elements"]


def test_a_wrong_schema_is_left_to_its_own_check() -> None:
    assert interface.check_interface(DUCKS, INPUT, {"type": "object", "$ref": "#"}) == []
