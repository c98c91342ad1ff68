"""The interface document: what a worker sees and is asked.

Three kinds:

    {"kind": "elements", "elements": [element, …]}
    {"kind": "html", "html": "…"}          the requester's own page, at most 100 kB, in a sandboxed frame
    {"kind": "url", "url": "https://…"}    a page elsewhere

An element shows or asks:

    {"show": "text" | "markdown" | "image" | "audio" | "video" | "link",
     "from": "<input key>" or "text": "<literal>", "label": "…", "alt": "…"}
    {"ask": "choice" | "choices" | "text" | "number" | "scale" | "date" | "ranking",
     "key": "<answer key>", "label": "…", "help": "…", "required": true, …}

    choice, choices, ranking   "options": [{"value": "1", "label": "Yes"}, …], 2 to 50, values of one type
    text                       "multiline": true, "max_length": 2000
    number                     "min", "max"
    scale                      "min", "max" (whole numbers), "min_label", "max_label"

Answers: choice is the option's value; choices a list of values; text a string; number a number; scale a whole
number; date "YYYY-MM-DD"; ranking every option's value once, best first.
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import orjson

from api.core.errors import FieldError
from api.projects import schemas
from api.projects.schemas import Schema

MAX_HTML = 100_000
MAX_ELEMENTS = 100
MAX_BYTES = 131_072
MAX_URL = 2_000
MAX_TEXT = 10_000
MAX_LABEL = 500
MAX_LENGTH = 50_000
MAX_STEPS = 100

SHOWN = ("text", "markdown", "image", "audio", "video", "link")
ASKED = ("choice", "choices", "text", "number", "scale", "date", "ranking")
_OPTIONS = frozenset({"choice", "choices", "ranking"})
_SHOW_MEMBERS = frozenset({"show", "from", "text", "label", "alt"})
_ASK_MEMBERS = frozenset({"ask", "key", "label", "help", "required"})
_MORE_MEMBERS: dict[str, frozenset[str]] = {
    "choice": frozenset({"options"}),
    "choices": frozenset({"options"}),
    "ranking": frozenset({"options"}),
    "text": frozenset({"multiline", "max_length"}),
    "number": frozenset({"min", "max"}),
    "scale": frozenset({"min", "max", "min_label", "max_label"}),
    "date": frozenset(),
}
# The JSON types of the answer to each question that has no options.
_TYPES = {
    "text": {"string"},
    "number": {"number", "integer"},
    "scale": {"integer", "number"},
    "date": {"string"},
    "choices": {"array"},
    "ranking": {"array"},
}
_NUMBER = (int, float)


def check_shape(interface: Any, field: str = "interface") -> list[FieldError]:
    """What is wrong with the document in itself; empty when a draft may keep it. `{}` is right: none yet."""
    if interface == {}:
        return []
    return list(_shape(interface, field))


def check_interface(
    interface: Any, input_schema: Schema, answer_schema: Schema, field: str = "interface"
) -> list[FieldError]:
    """What keeps the document from being published with these schemas; empty when nothing does."""
    found = list(_shape(interface, field))
    if found or interface["kind"] != "elements":
        return found
    if schemas.check_schema(input_schema, "") or schemas.check_schema(answer_schema, ""):
        return found
    return list(_fit(interface["elements"], input_schema, answer_schema, field))


def schemas_of(interface: Any) -> tuple[Schema, Schema]:
    """The input and answer schema that the elements imply; for a draft that has none of its own.

    Inputs may have more keys than are shown; answers may not have more than are asked. For own HTML, a URL,
    and a document that is not right, both take any object.
    """
    if not interface or check_shape(interface) or interface["kind"] != "elements":
        return {"type": "object"}, {"type": "object"}
    shown, asked, required = {}, {}, []
    for element in interface["elements"]:
        if "show" in element:
            if "from" in element:
                shown[element["from"]] = _input_schema(element["show"])
        else:
            asked[element["key"]] = _answer_schema(element)
            if element.get("required"):
                required.append(element["key"])
    return (
        {"type": "object", "properties": shown, "required": list(shown)},
        {"type": "object", "properties": asked, "required": required, "additionalProperties": False},
    )


def _input_schema(show: str) -> Schema:
    if show == "link":
        return {"type": "string", "pattern": "^https?://"}
    if show in {"text", "markdown"}:
        return {"type": "string"}
    return {"type": "string", "minLength": 1}


def _answer_schema(element: dict[str, Any]) -> Schema:
    ask = element["ask"]
    least = 1 if element.get("required") else 0
    if ask in _OPTIONS:
        values = [option["value"] for option in element["options"]]
        one: Schema = {"type": schemas.type_name(values[0]), "enum": values}
        if ask == "choice":
            return one
        sizes = {"minItems": least, "maxItems": len(values)}
        if ask == "ranking":
            sizes = {"minItems": len(values), "maxItems": len(values)}
        return {"type": "array", "items": one, "uniqueItems": True, **sizes}
    if ask == "text":
        return {"type": "string", "minLength": least, "maxLength": element.get("max_length", 2000)}
    if ask == "date":
        return {"type": "string", "format": "date"}
    bounds = {
        name: element[member]
        for name, member in (("minimum", "min"), ("maximum", "max"))
        if element.get(member) is not None
    }
    return {"type": "integer" if ask == "scale" else "number", **bounds}


def _shape(interface: Any, field: str) -> Iterator[FieldError]:
    if not isinstance(interface, dict):
        yield FieldError(field, "An interface is a JSON object.")
        return
    try:
        size = len(orjson.dumps(interface))
    except (TypeError, orjson.JSONEncodeError):
        size = MAX_BYTES + 1
    if size > MAX_BYTES:
        yield FieldError(field, f"An interface has at most {MAX_BYTES:,} bytes.", "too_long")
        return
    checks: dict[Any, Callable[[Any, str], Iterator[FieldError]]] = {
        "elements": _elements,
        "html": _html,
        "url": _url,
    }
    kind = interface.get("kind")
    if not isinstance(kind, str) or kind not in checks:
        yield FieldError(f"{field}.kind", "The kind is elements, html or url.")
        return
    yield from _unknown(interface, frozenset({"kind", kind}), field)
    yield from checks[kind](interface.get(kind), f"{field}.{kind}")


def _html(html: Any, field: str) -> Iterator[FieldError]:
    if not isinstance(html, str) or not html.strip():
        yield FieldError(field, "Write the HTML of the page.", "required")
    elif len(html.encode("utf-8", "surrogatepass")) > MAX_HTML:
        yield FieldError(field, f"The HTML has at most {MAX_HTML:,} bytes.", "too_long")


def _url(url: Any, field: str) -> Iterator[FieldError]:
    if not isinstance(url, str) or not url:
        yield FieldError(field, "Write the address of the page.", "required")
        return
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018  (reading it checks it)
    except ValueError:
        parts, host = urlsplit(""), ""
    local = parts.scheme == "http" and host in {"127.0.0.1", "localhost"}
    if len(url) > MAX_URL or not url.isprintable() or any(mark in url for mark in ' \\"<>'):
        yield FieldError(field, f"The address has at most {MAX_URL} characters and no blanks.")
    elif not host or not (parts.scheme == "https" or local):
        yield FieldError(field, "The address starts with https:// (http:// only for this machine itself).")
    elif parts.username is not None or parts.password is not None:
        yield FieldError(field, "The address must not carry a user name or a password.")


def _elements(elements: Any, field: str) -> Iterator[FieldError]:
    if not isinstance(elements, list) or not 1 <= len(elements) <= MAX_ELEMENTS:
        yield FieldError(field, f"An interface has 1 to {MAX_ELEMENTS} elements.", "required")
        return
    asked: set[str] = set()
    for index, element in enumerate(elements):
        path = f"{field}.{index}"
        if not isinstance(element, dict) or ("show" in element) == ("ask" in element):
            yield FieldError(path, "An element either shows something or asks something.")
        elif "show" in element:
            yield from _show(element, path)
        else:
            yield from _ask(element, path)
            key = element.get("key")
            if isinstance(key, str):
                if key in asked:
                    yield FieldError(f"{path}.key", f"Another question answers to {key!r} already.")
                asked.add(key)


def _show(element: dict[str, Any], path: str) -> Iterator[FieldError]:
    yield from _unknown(element, _SHOW_MEMBERS, path)
    show = element["show"]
    if show not in SHOWN:
        yield FieldError(f"{path}.show", f"Shows one of {', '.join(SHOWN)}.")
        return
    if ("from" in element) == ("text" in element):
        yield FieldError(f"{path}.from", "Name an input key to show, or give a text, one of the two.", "required")
    elif "from" in element:
        yield from _key(element["from"], f"{path}.from")
    else:
        yield from _text(element["text"], f"{path}.text", MAX_TEXT, required=True)
        if show not in {"text", "markdown"} and isinstance(element["text"], str):
            yield from _url(element["text"], f"{path}.text")
    yield from _texts(element, path, label=MAX_LABEL, alt=MAX_LABEL)
    if show == "image" and not (element.get("alt") or element.get("label")):
        detail = "Say what the image shows, in alt or in label, for workers who cannot see it."
        yield FieldError(f"{path}.alt", detail, "required")


def _ask(element: dict[str, Any], path: str) -> Iterator[FieldError]:
    ask = element["ask"]
    if ask not in ASKED:
        yield FieldError(f"{path}.ask", f"Asks one of {', '.join(ASKED)}.")
        return
    yield from _unknown(element, _ASK_MEMBERS | _MORE_MEMBERS[ask], path)
    if "key" in element:
        yield from _key(element["key"], f"{path}.key")
    else:
        yield FieldError(f"{path}.key", "Name the answer key that the answer is kept under.", "required")
    yield from _text(element.get("label"), f"{path}.label", MAX_LABEL, required=True)
    yield from _texts(element, path, help=MAX_TEXT, min_label=MAX_LABEL, max_label=MAX_LABEL)
    for member in ("required", "multiline"):
        if member in element and not isinstance(element[member], bool):
            yield FieldError(f"{path}.{member}", "Is true or false.")
    if ask in _OPTIONS:
        yield from _options(element.get("options"), f"{path}.options")
    elif ask == "scale":
        yield from _bounds(element, path, int)
    elif ask == "number":
        yield from _bounds(element, path, _NUMBER)
    longest = element.get("max_length", 1)
    if not _is(longest, int) or not 1 <= longest <= MAX_LENGTH:
        yield FieldError(f"{path}.max_length", f"Is a whole number from 1 to {MAX_LENGTH:,}.")


def _bounds(element: dict[str, Any], path: str, kind: Any) -> Iterator[FieldError]:
    scale = element["ask"] == "scale"
    lowest: Any = element.get("min")
    highest: Any = element.get("max")
    for member, bound in (("min", lowest), ("max", highest)):
        if bound is None and scale:
            yield FieldError(f"{path}.{member}", "A scale has a lowest and a highest step.", "required")
        elif bound is not None and not _is(bound, kind):
            yield FieldError(f"{path}.{member}", "Is a whole number." if scale else "Is a number.")
    if _is(lowest, kind) and _is(highest, kind):
        if lowest >= highest:
            yield FieldError(f"{path}.max", "Must be more than min.")
        elif scale and highest - lowest > MAX_STEPS:
            yield FieldError(f"{path}.max", f"A scale has at most {MAX_STEPS} steps.")


def _options(options: Any, path: str) -> Iterator[FieldError]:
    if not isinstance(options, list) or not 2 <= len(options) <= 50:
        yield FieldError(path, "There are 2 to 50 options.", "required")
        return
    seen: list[Any] = []
    for index, option in enumerate(options):
        place = f"{path}.{index}"
        if not isinstance(option, dict):
            yield FieldError(place, 'An option is {"value": …, "label": "…"}.')
            continue
        yield from _unknown(option, frozenset({"value", "label"}), place)
        value = option.get("value")
        if not isinstance(value, str | int | bool) or value == "" or len(str(value)) > 200:
            yield FieldError(
                f"{place}.value",
                "A value is a text of 1 to 200 characters, a whole number, or true or false.",
            )
        elif seen and type(value) is not type(seen[0]):
            yield FieldError(f"{place}.value", "The values of all options are of one type.")
        elif value in seen:
            yield FieldError(f"{place}.value", "Another option has this value already.")
        else:
            seen.append(value)
        yield from _text(option.get("label"), f"{place}.label", MAX_LABEL, required=True)


def _fit(
    elements: list[dict[str, Any]], input_schema: Schema, answer_schema: Schema, field: str
) -> Iterator[FieldError]:
    inputs = schemas.properties_of(input_schema)
    must = schemas.required_of(answer_schema)
    answers = schemas.draft_validator(schemas.partial_schema(answer_schema))
    asked: dict[str, int] = {}
    for index, element in enumerate(elements):
        path = f"{field}.elements.{index}"
        if "show" in element:
            if "from" in element and element["from"] not in inputs:
                detail = f"The input schema has no key {element['from']!r}."
                yield FieldError(f"{path}.from", detail, "unknown_key")
            continue
        key = element["key"]
        asked[key] = index
        if key not in schemas.properties_of(answer_schema):
            yield FieldError(f"{path}.key", f"The answer schema has no key {key!r}.", "unknown_key")
            continue
        if element.get("required", False) != (key in must):
            says = "requires" if key in must else "does not require"
            yield FieldError(f"{path}.required", f"The answer schema {says} {key!r}.", "required_differs")
        yield from _fits(element, answer_schema, answers, path)
    if not asked:
        yield FieldError(f"{field}.elements", "Nothing is asked.", "required")
    for key in sorted(must - asked.keys()):
        detail = f"No element asks for {key!r}, which the answer schema requires."
        yield FieldError(f"{field}.elements", detail, "not_asked")


def _fits(element: dict[str, Any], schema: Schema, answers: Any, path: str) -> Iterator[FieldError]:
    """Whether what this question can be answered with is what the schema takes under its key."""
    ask, key = element["ask"], element["key"]
    types = schemas.types_of(schema, schemas.properties_of(schema)[key])
    if types and ask in _TYPES and not types & _TYPES[ask]:
        needed, given = " or ".join(sorted(_TYPES[ask])), " or ".join(sorted(types))
        detail = f"The answer to {ask} is {needed}; the schema says {given}."
        yield FieldError(f"{path}.key", detail, "wrong_type")
    elif ask == "choice":
        for number, option in enumerate(element["options"]):
            if not answers.is_valid({key: option["value"]}):
                detail = f"The answer schema does not take this value for {key!r}."
                yield FieldError(f"{path}.options.{number}.value", detail, "not_in_schema")
    elif ask in {"choices", "ranking"}:
        values = [option["value"] for option in element["options"]]
        for error in answers.iter_errors({key: values}):
            place = error.instance_path
            if len(place) > 1:
                detail = f"The answer schema does not take this value for {key!r}."
                yield FieldError(f"{path}.options.{place[1]}.value", detail, "not_in_schema")
            elif ask == "ranking":
                detail = f"The answer schema does not take a list of all options for {key!r}."
                yield FieldError(f"{path}.options", detail, "not_in_schema")
    elif ask == "scale":
        for step in range(element["min"], element["max"] + 1):
            if not answers.is_valid({key: step}):
                detail = f"The answer schema does not take {step} for {key!r}."
                yield FieldError(f"{path}.{'min' if step == element['min'] else 'max'}", detail, "not_in_schema")
                break
    elif ask == "number":
        for member in ("min", "max"):
            bound = element.get(member)
            if bound is not None and not answers.is_valid({key: bound}):
                detail = f"The answer schema does not take {bound} for {key!r}."
                yield FieldError(f"{path}.{member}", detail, "not_in_schema")


def _is(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _unknown(value: dict[str, Any], known: frozenset[str], path: str) -> Iterator[FieldError]:
    for name in value:
        if name not in known:
            yield FieldError(f"{path}.{name}", "There is no such member here.", "unknown_field")


def _key(key: Any, path: str) -> Iterator[FieldError]:
    fits = isinstance(key, str) and 1 <= len(key) <= schemas.MAX_KEY
    if not fits or not key.isprintable() or key != key.strip():
        yield FieldError(path, f"A key has 1 to {schemas.MAX_KEY} visible characters.")


def _text(value: Any, path: str, longest: int, *, required: bool = False) -> Iterator[FieldError]:
    if value is None and not required:
        return
    if not isinstance(value, str) or (required and not value.strip()):
        yield FieldError(path, "Write a text here.", "required")
    elif len(value) > longest:
        yield FieldError(path, f"Has at most {longest:,} characters.", "too_long")


def _texts(element: dict[str, Any], path: str, **longest: int) -> Iterator[FieldError]:
    for member, most in longest.items():
        if member in element:
            yield from _text(element[member], f"{path}.{member}", most)
