"""Imports: every format, every refusal, money and keys, and memory that does not grow with the file."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from api.accounts.models import User
from api.core.errors import DomainError, NotFound
from api.ledger import services as ledger
from api.ledger.errors import InsufficientFunds
from api.ledger.models import Purse, Transfer
from api.ledger.selectors import balance_of
from api.projects import imports, services
from api.projects.imports import Options, Prepared, prepare
from api.projects.imports.tables import guess_delimiter
from api.projects.models import Batch, BatchProblem, OpenTask, Project, ProjectStats, Task, Version
from api.projects.services import tasks as service
from api.realtime.models import Event

INPUT = {
    "type": "object",
    "properties": {"image": {"type": "string"}, "n": {"type": "integer", "minimum": 0}},
    "required": ["image"],
}
ANSWER = {
    "type": "object",
    "properties": {"label": {"type": "string", "enum": ["duck", "no duck"]}, "sure": {"type": "integer"}},
    "required": ["label"],
    "additionalProperties": False,
}
ANY = {"type": "object"}


class Slow:
    """A stream that gives a few bytes at a time, as a network does."""

    def __init__(self, data: bytes, step: int = 7) -> None:
        self._data = io.BytesIO(data)
        self._step = step

    def read(self, size: int) -> bytes:
        return self._data.read(min(size, self._step))


class Pieces:
    """A stream made on the fly, so that a large upload needs no memory here."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def read(self, size: int) -> bytes:
        parts = [self._rest]
        have = len(self._rest)
        while have < size and (piece := next(self._pieces, None)) is not None:
            parts.append(piece)
            have += len(piece)
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]


def read(
    data: bytes | str,
    format: imports.Format = "csv",
    input_schema: dict[str, Any] = ANY,
    answer_schema: dict[str, Any] = ANSWER,
    **options: Any,
) -> Prepared:
    raw = data.encode() if isinstance(data, str) else data
    return prepare(io.BytesIO(raw), format, Options(**options), input_schema, answer_schema)


def rows_of(prepared: Prepared) -> list[tuple[str | None, Any, Any]]:
    """Key, input and gold of each kept row, as PostgreSQL would read its COPY text."""

    def unescape(cell: str) -> str | None:
        if cell == "\\N":
            return None
        marks = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}
        out, at = [], 0
        while at < len(cell):
            mark = cell[at : at + 2]
            out.append(marks.get(mark, cell[at]))
            at += 2 if mark in marks else 1
        return "".join(out)

    found = []
    with prepared:
        for line in prepared.file.read().decode().split("\n")[:-1]:
            _, key, value, gold = map(unescape, line.split("\t"))
            found.append((key, orjson.loads(value or ""), None if gold is None else orjson.loads(gold)))
    return found


def inputs_of(data: bytes | str, format: imports.Format = "csv", **options: Any) -> list[Any]:
    prepared = read(data, format, **options)
    assert prepared.report.problems == []
    return [row[1] for row in rows_of(prepared)]


def problems_of(data: bytes | str, format: imports.Format = "csv", **options: Any) -> list[tuple[int, str, str]]:
    with read(data, format, on_error="keep", **options) as prepared:
        report = prepared.report
        assert report.lines == report.rejected + prepared.rows
        return [(problem.line, problem.code, problem.column) for problem in report.problems]


# CSV


@pytest.mark.parametrize(
    "data",
    [
        b"image,n\na.png,1\nb.png,2\n",
        b"image,n\r\na.png,1\r\nb.png,2\r\n",
        b"image,n\ra.png,1\rb.png,2\r",
        b"\xef\xbb\xbfimage,n\na.png,1\nb.png,2",
        b"image;n\na.png;1\nb.png;2\n",
        b"image\tn\na.png\t1\nb.png\t2\n",
        b"image|n\na.png|1\nb.png|2\n",
        b'"image","n"\n"a.png","1"\n"b.png","2"\n',
        b" image , n \na.png,1\n\n\nb.png,2\n\n",
    ],
)
def test_csv_in_every_dialect(data) -> None:
    assert inputs_of(data, input_schema=INPUT) == [{"image": "a.png", "n": 1}, {"image": "b.png", "n": 2}]


def test_quoted_cells_hold_newlines_quotes_and_delimiters() -> None:
    data = 'image,text\na.png,"one\r\ntwo, ""three"""\nb.png,"\n"\n'
    assert inputs_of(data) == [
        {"image": "a.png", "text": 'one\r\ntwo, "three"'},
        {"image": "b.png", "text": "\n"},
    ]


def test_a_delimiter_that_is_given_is_used() -> None:
    assert inputs_of("a;b,c\n1;2,3\n", delimiter=",") == [{"a;b": "1;2", "c": "3"}]
    assert inputs_of("a;b,c\n1;2,3\n", delimiter=";") == [{"a": "1", "b,c": "2,3"}]


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        ("a\n1\n2\n", ","),
        ("", ","),
        ("a,b\n1,2\n", ","),
        ("name;price\nx;1,5\ny;2,5\n", ";"),
        ("text\tlabel\nhello, you; there\t1\n", "\t"),
        ('a|b\n"x|y"|1\n', "|"),
        ("question,answers\nwhich?,a;b;c\nwhere?,a;b;c\n", ","),
        ('text;n\n"a, b, c";1\n"d, e";2\n', ";"),
    ],
)
def test_the_delimiter_is_guessed(sample, delimiter) -> None:
    assert guess_delimiter(sample) == delimiter


CELLS = {
    "type": "object",
    "properties": {
        "s": {"type": "string"},
        "i": {"type": "integer"},
        "f": {"type": "number"},
        "b": {"type": "boolean"},
        "a": {"type": "array"},
        "o": {"$ref": "#/$defs/object"},
        "m": {"type": ["integer", "boolean", "null"]},
        "e": {"enum": [1, 2]},
    },
    "$defs": {"object": {"type": "object"}},
}


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("s", "007", "007"),
        ("s", "null", "null"),
        ("i", "007", 7),
        ("i", " -3 ", -3),
        ("f", "1.50", 1.5),
        ("f", "3", 3),
        ("f", "1e3", 1000.0),
        ("b", "TRUE", True),
        ("b", "no", False),
        ("b", "1", True),
        ("a", '"[1, ""x""]"', [1, "x"]),
        ("o", '"{""x"": null}"', {"x": None}),
        ("m", "4", 4),
        ("m", "true", True),
        ("e", "2", 2),
        ("other", "5", "5"),
    ],
)
def test_cells_become_what_the_schema_says(column, cell, value) -> None:
    assert inputs_of(f"x,{column}\n-,{cell}\n", input_schema=CELLS) == [{"x": "-", column: value}]


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("i", "1.0", "wrong_type"),
        ("i", "1_000", "wrong_type"),
        ("i", "٣", "wrong_type"),
        ("i", "99999999999999999999", "wrong_type"),
        ("f", "nan", "wrong_type"),
        ("f", "1e999", "wrong_type"),
        ("f", '"1,5"', "wrong_type"),
        ("b", "maybe", "wrong_type"),
        ("a", "{}", "wrong_type"),
        ("o", "[", "wrong_type"),
        ("m", "x", "wrong_type"),
        ("e", "3", "invalid_value"),
    ],
)
def test_cells_that_are_not_what_the_schema_says_are_told(column, cell, code) -> None:
    assert problems_of(f"x,{column}\n-,{cell}\n", input_schema=CELLS) == [(2, code, column)]


def test_an_empty_cell_is_left_out_unless_it_is_a_required_text() -> None:
    assert inputs_of("image,n,x\n,,\n", input_schema=INPUT) == [{"image": ""}]


def test_every_bad_line_is_told_with_where_its_record_starts() -> None:
    data = 'image,n\na.png,1\nb.png\nc.png,"1\n2"\n"d.png"x,1\ne.png,-1\nf.png,2,3\n\n,4\ng.png,5\n"h.png,6\n'
    assert problems_of(data, input_schema=INPUT) == [
        (3, "wrong_cell_count", ""),
        (4, "wrong_type", "n"),
        (6, "bad_quotes", ""),
        (7, "invalid_value", "n"),
        (8, "wrong_cell_count", ""),
        (12, "bad_quotes", ""),
    ]
    with read(data, input_schema=INPUT, on_error="keep") as prepared:
        assert (prepared.report.lines, prepared.report.rejected, prepared.rows) == (9, 6, 3)


def test_a_row_can_have_several_problems_and_is_counted_once() -> None:
    schema = {**CELLS, "required": ["s"]}
    with read("s,i,b\n-,x,y\n", input_schema=schema, on_error="keep") as prepared:
        assert [problem.column for problem in prepared.report.problems] == ["i", "b"]
        assert prepared.report.rejected == 1


def test_problems_beyond_ten_thousand_are_counted_but_not_kept() -> None:
    data = b"image,n\n" + b"a.png,x\n" * 12_000
    with read(data, input_schema=INPUT, on_error="keep") as prepared:
        assert prepared.report.rejected == prepared.report.lines == 12_000
        assert len(prepared.report.problems) == 10_000


def test_once_a_line_is_bad_the_rest_of_a_refused_file_is_read_but_not_kept() -> None:
    with read("image,n\na,1\nb,x\nc,3\nd,y\n", input_schema=INPUT) as prepared:
        assert [problem.line for problem in prepared.report.problems] == [3, 5]
        assert (prepared.report.lines, prepared.rows) == (4, 1)


def test_key_and_gold_columns() -> None:
    data = "id,image,gold:label,gold:sure\nk1,a.png,duck,3\nk 2,b.png,,\n"
    assert rows_of(read(data, key="id")) == [
        ("k1", {"image": "a.png"}, {"label": "duck", "sure": 3}),
        ("k 2", {"image": "b.png"}, None),
    ]


def test_a_key_column_that_the_input_schema_names_is_also_input() -> None:
    assert rows_of(read("image,n\na.png,1\n", input_schema=INPUT, key="image")) == [
        ("a.png", {"image": "a.png", "n": 1}, None)
    ]


def test_a_key_column_is_read_where_every_cell_is_plain_text() -> None:
    schema = {"type": "object", "properties": {"question": {"type": "string"}}, "required": ["question"]}
    data = "question\r\n36618\r\n22\r\n"
    expected = [("36618", {"question": "36618"}, None), ("22", {"question": "22"}, None)]
    assert rows_of(read(data, input_schema=schema, key="question")) == expected


def test_another_gold_prefix() -> None:
    data = "image,truth.label,gold:x\na.png,duck,y\n"
    assert rows_of(read(data, gold="truth.")) == [(None, {"image": "a.png", "gold:x": "y"}, {"label": "duck"})]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (",a.png,duck", ("missing_key", "key")),
        ("k" * 201 + ",a.png,duck", ("key_too_long", "key")),
        ("k,a.png,goose", ("invalid_value", "gold:label")),
    ],
)
def test_wrong_keys_and_gold_are_told(row, problem) -> None:
    data = f"id,image,gold:label\n{row}\n"
    assert problems_of(data, key="id") == [(2, *problem)]


# Files that cannot be read


@pytest.mark.parametrize("format", ["csv", "jsonl", "json"])
@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b" \r\n "])
def test_an_empty_file(format, data) -> None:
    with pytest.raises(imports.EmptyFile):
        read(data, format)


@pytest.mark.parametrize(("data", "format"), [(b"image,n\n", "csv"), (b"[]", "json"), (b" [ \n] ", "json")])
def test_a_file_without_a_task_is_empty_too(data, format) -> None:
    with pytest.raises(imports.EmptyFile):
        read(data, format)


def test_a_wrong_encoding_names_the_first_wrong_byte_and_its_line() -> None:
    with pytest.raises(imports.WrongEncoding) as raised:
        read("image,n\na.png,1\nm\xf6we.png,2\n".encode("latin-1"))
    assert raised.value.extra == {"offset": 17, "line": 3}
    assert raised.value.code == "wrong_encoding"


def test_a_wrong_byte_is_found_wherever_the_chunks_fall() -> None:
    start = b"image\n" + "ä.png\n".encode() * 200_000
    with pytest.raises(imports.WrongEncoding) as raised:
        read(start + b"\xff\n")
    assert raised.value.extra == {"offset": len(start), "line": 200_002}


@pytest.mark.parametrize("data", [b"image\na\xc3", b"image\na\xe2\x82\n"])
def test_a_character_that_is_cut_off_is_a_wrong_encoding(data) -> None:
    with pytest.raises(imports.WrongEncoding) as raised:
        read(data)
    assert raised.value.extra == {"offset": 7, "line": 2}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused(encoding) -> None:
    with pytest.raises((imports.WrongEncoding, imports.BinaryFile)):
        read("image,n\na.png,1\n".encode(encoding))


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0\xa1", b"\x1f\x8b\x08", b"%PDF-1.7\n", b"image\na\0b\n"]
)
@pytest.mark.parametrize("format", ["csv", "jsonl", "json"])
def test_a_binary_file(data, format) -> None:
    with pytest.raises(imports.BinaryFile):
        read(data, format)


def test_missing_columns_are_named() -> None:
    schema = {**INPUT, "required": ["image", "n"]}
    with pytest.raises(imports.MissingColumn) as raised:
        read("picture,id\na,1\n", input_schema=schema, key="code")
    assert [error.field for error in raised.value.errors] == ["code", "image", "n"]
    assert raised.value.detail == "Columns are missing: code, image, n."


@pytest.mark.parametrize(
    ("header", "field", "code"),
    [
        ("image,image", "image", "duplicate_column"),
        ("image,", "column 2", "unnamed_column"),
        ("image,gold:what", "gold:what", "unknown_column"),
        ("image,extra", "extra", "unknown_column"),
    ],
)
def test_a_wrong_header_names_the_column(header, field, code) -> None:
    schema = {**INPUT, "additionalProperties": False}
    with pytest.raises(imports.WrongHeader) as raised:
        read(f"{header}\na,1\n", input_schema=schema)
    assert [(error.field, error.code) for error in raised.value.errors] == [(field, code)]


def test_a_header_with_too_many_columns_is_refused() -> None:
    with pytest.raises(imports.WrongHeader):
        read(",".join(f"c{i}" for i in range(1001)) + "\n")


ENDLESS = [b"x" * 65_536] * 400


@pytest.mark.parametrize(
    ("format", "start", "pieces"),
    [
        ("csv", b"image,n\na.png,1\n", ENDLESS),
        ("csv", b'image,n\na.png,1\n"', ENDLESS),
        ("csv", b'image,n\na.png,1\n"', [b"a line\n" * 10_000] * 400),
        ("csv", b"image,n\na.png,1\n", [b'"a\n",' * 10_000] * 400),
        ("jsonl", b'{"input": {}}\n\n', ENDLESS),
        ("json", b'[{"input": {}},\n\n{"input": "', ENDLESS),
    ],
)
def test_a_row_that_is_too_long_is_refused_before_it_is_read_whole(format, start, pieces) -> None:
    taken = 0

    def stream() -> Iterator[bytes]:
        nonlocal taken
        yield start
        for piece in pieces:
            taken += len(piece)
            yield piece

    with pytest.raises(imports.FileRefused) as raised:
        prepare(Pieces(stream()), format, Options(), ANY, ANSWER)
    assert raised.value.code == ("invalid_json" if format == "json" else "row_too_long")
    assert raised.value.extra["line"] == 3
    assert taken < 4_000_000


@pytest.mark.parametrize("cells", [1, 8])
def test_a_row_of_just_over_a_megabyte_is_too_long_and_one_just_under_is_not(cells) -> None:
    header = ",".join(f"c{i}" for i in range(cells))

    def data(size: int) -> str:
        return f"{header}\n" + ",".join(["x" * (size // cells)] * cells) + "\n"

    assert len(inputs_of(data(1_048_000))) == 1
    with pytest.raises(imports.RowTooLong) as raised:
        read(data(1_060_000))
    assert raised.value.extra == {"line": 2}


def test_an_upload_over_the_limit_is_too_large(settings) -> None:
    settings.IMPORT_MAX_BYTES = 1_000_000
    with pytest.raises(imports.TooLarge) as raised:
        prepare(Pieces(iter(lambda: b"a.png\n" * 1000, None)), "csv", Options(), ANY, ANY)
    assert raised.value.status == 413


# JSON


def test_json_lines() -> None:
    data = (
        b'\xef\xbb\xbf{"input": {"a": 1}, "key": "k", "gold": {"label": "duck"}}\r\n\n{"input":{"a":"\\\\\\t"},"key":7}'
    )
    assert rows_of(read(data, "jsonl")) == [
        ("k", {"a": 1}, {"label": "duck"}),
        ("7", {"a": "\\\t"}, None),
    ]


def test_bare_records_are_inputs() -> None:
    assert rows_of(read('{"input": 1, "id": 5}\n', "jsonl", bare=True, key="id")) == [
        ("5", {"input": 1, "id": 5}, None)
    ]
    assert inputs_of('[{"a": 1}]', "json", bare=True) == [{"a": 1}]


@pytest.mark.parametrize(
    ("record", "code", "column"),
    [
        ("[1]", "not_an_object", ""),
        ("3", "not_an_object", ""),
        ('{"a": 1}', "unknown_field", "a"),
        ('{"input": {}, "extra": 1}', "unknown_field", "extra"),
        ("{}", "missing_value", "input"),
        ('{"input": []}', "wrong_type", "input"),
        ('{"input": {"image": "a"}, "key": 1.5}', "wrong_type", "key"),
        ('{"input": {"image": "a"}, "key": true}', "wrong_type", "key"),
        ('{"input": {"image": "a"}, "key": ""}', "missing_key", "key"),
        ('{"input": {"image": "a"}, "key": "a\\u0000"}', "nul_character", "key"),
        ('{"input": {"image": "a"}, "gold": "duck"}', "wrong_type", "gold"),
        ('{"input": {"image": "a"}, "gold": {"label": "goose"}}', "invalid_value", "gold:label"),
        ('{"input": {"image": "a"}, "gold": {"what": 1}}', "unknown_column", "gold:what"),
        ('{"input": {"n": 1}}', "missing_value", "image"),
        ('{"input": {"image": "a", "n": "1"}}', "wrong_type", "n"),
        ('{"input": {"image": "a\\u0000b"}}', "nul_character", ""),
        ('{"input": {"image": "a"}, "x\\u0000": 1}', "unknown_field", "x\ufffd"),
    ],
)
@pytest.mark.parametrize("format", ["jsonl", "json"])
def test_wrong_records_are_told(record, code, column, format) -> None:
    good = '{"input": {"image": "a.png"}}'
    data = f"{good}\n{record}\n{good}\n" if format == "jsonl" else f"[{good},\n{record},\n{good}]"
    assert problems_of(data, format, input_schema=INPUT) == [(2, code, column)]


@pytest.mark.parametrize(
    "record", ["{", '{"input": {}} x', "nonsense", '{"input": {"a": NaN}}', '{"input": {"a": "\\ud800"}}']
)
def test_a_line_that_is_not_json_is_told_and_the_next_is_read(record) -> None:
    data = f'{record}\n{{"input": {{}}}}\n'
    assert problems_of(data, "jsonl") == [(1, "invalid_json", "")]


def test_a_backslash_before_u0000_is_no_nul() -> None:
    assert inputs_of('{"input": {"a": "\\\\u0000"}}\n', "jsonl") == [{"a": "\\u0000"}]


def test_a_json_array_tells_lines_and_items() -> None:
    data = '\n[\n {"input": {"image": "a"}}, {"input": {}},\n\n {\n"input": {}} , 3\n]\n'
    with read(data, "json", INPUT, on_error="keep") as prepared:
        told = [(problem.line, problem.detail.partition(":")[0]) for problem in prepared.report.problems]
    assert told == [(3, "Item 2"), (5, "Item 3"), (6, "Item 4")]


@pytest.mark.parametrize(
    "data",
    ['{"input": {}}', "[", '[{"input": {}}', '[{"input": {}},', '[{"input": {}},]', '[{"input": {}} {}]', "[{]"]
    + ['[{"input": {}}] x', "nonsense", "[" * 100_000, '[{"input": {}}, nul]'],
)
def test_what_is_not_a_json_array_is_refused(data) -> None:
    with pytest.raises(imports.NotJSON) as raised:
        read(data, "json")
    assert raised.value.extra == {"line": 1}


@pytest.mark.parametrize("pad", range(-3, 4))
def test_an_array_is_cut_anywhere_between_chunks(pad) -> None:
    first = {"input": {"a": "x" * (262_144 + pad - 20)}}
    rest = [{"input": {"n": n, "t": "ü]},{["}} for n in range(20_000)]
    data = json.dumps([first, *rest], ensure_ascii=False)
    assert inputs_of(data, "json") == [each["input"] for each in [first, *rest]]


def test_an_array_of_many_items_on_one_line_is_not_one_long_row() -> None:
    data = "[" + ",".join(['{"input": {"image": "a.png"}}'] * 100_000) + "]"
    assert len(data) > 2_000_000
    with read(data, "json") as prepared:
        assert prepared.rows == 100_000


# Any text comes through


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
TRICKY = st.text(st.sampled_from(list(',;\t|"\n\r\\ aé€𝄞N')), max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_csv_comes_back_as_it_was_written(data, delimiter, end, quote_all) -> None:
    names = data.draw(st.lists(st.sampled_from(["a", "b c", "d,e", 'f"g', "h\ni"]), min_size=2, unique=True))
    # Python's writer leaves a carriage return unquoted, and then no reader can tell it from the end of a line.
    quoted = quote_all or end == "\r\n"
    cell = (TEXT | TRICKY).filter(lambda text: text and (quoted or "\r" not in text))
    rows = data.draw(st.lists(st.tuples(*[cell] * len(names)), min_size=1, max_size=6))
    file = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([names, *rows])
    raw = file.getvalue().encode()
    options = Options(delimiter=delimiter)
    prepared = prepare(Slow(raw), "csv", options, ANY, ANY)
    assert prepared.report.problems == []
    assert rows_of(prepared) == [(None, dict(zip(names, row, strict=True)), None) for row in rows]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | TEXT | TRICKY,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXT, part, max_size=3),
    max_leaves=6,
).filter(lambda value: value not in (float("inf"), float("-inf")))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return 0.5
    if isinstance(value, list):
        return [_finite(part) for part in value]
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return value


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(TEXT | TRICKY, JSON, max_size=3), min_size=1, max_size=5), st.booleans())
def test_json_comes_back_as_it_was_written(inputs, ascii_only) -> None:
    inputs = _finite(inputs)
    records = [{"input": value, "key": f"k\t{n}\\\n"} for n, value in enumerate(inputs)]
    expected = [(record["key"], record["input"], None) for record in records]
    lines = "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records)
    array = json.dumps(records, ensure_ascii=ascii_only, indent=1)
    for text, format in ((lines, "jsonl"), (array, "json")):
        prepared = prepare(Slow(text.encode()), format, Options(), ANY, ANY)
        assert rows_of(prepared) == expected


# Into the database


def make_project(owner: User, *, reward: int = 15, places: int = 2) -> Project:
    return services.create_project(
        by=owner,
        fields={
            "title": "Ducks",
            "input_schema": INPUT,
            "answer_schema": ANSWER,
            "reward": {"amount": reward, "currency": "USD"},
            "assignments_per_task": places,
            "interface": {"kind": "html", "html": "<p>Duck?</p>"},
        },
    )


def deposit(owner: User, amount: int) -> None:
    purse = ledger.purse_of(owner_id=owner.id, currency="USD")
    outside = ledger.system_purse(kind=Purse.Kind.EXTERNAL, currency="USD")
    ledger.transfer(
        key=f"test:{uuid4()}",
        kind=Transfer.Kind.DEPOSIT,
        lines=[(outside.id, -amount), (purse.id, amount)],
        memo="",
        by=None,
    )


def add(project: Project, by: User, data: str | bytes, format: imports.Format = "csv", **options: Any) -> Batch:
    raw = data.encode() if isinstance(data, str) else data
    return service.import_tasks(
        project_id=project.id, by=by, stream=io.BytesIO(raw), format=format, options=Options(**options)
    )


def tasks_of(project: Project) -> list[tuple[int, str | None, Any]]:
    return list(Task.objects.filter(project=project).order_by("position").values_list("position", "key", "input"))


@pytest.fixture
def owner(make_user) -> User:
    return make_user("Owner")


@pytest.fixture
def project(owner) -> Project:
    return make_project(owner)


def test_tasks_are_added_in_the_order_of_the_file(project, owner) -> None:
    batch = add(project, owner, 'image,n\n"a\\,""b\n",1\nü.png,\n', filename="ducks.csv")
    assert (batch.state, batch.lines, batch.added, batch.rejected, batch.duplicates) == ("done", 2, 2, 0, 0)
    assert (batch.filename, batch.format, batch.funded) == ("ducks.csv", "csv", None)
    add(project, owner, '[{"input": {"image": "c"}, "gold": {"label": "duck"}}]', "json")
    assert tasks_of(project) == [
        (0, None, {"image": 'a\\,"b\n', "n": 1}),
        (1, None, {"image": "ü.png"}),
        (2, None, {"image": "c"}),
    ]
    project.refresh_from_db()
    assert project.last_position == 2
    assert ProjectStats.objects.get(project=project).tasks == 3
    assert list(Task.objects.filter(batch=batch).values_list("position", flat=True).order_by("position")) == [0, 1]
    assert Task.objects.get(project=project, position=2).gold == {"label": "duck"}
    assert not OpenTask.objects.exists()
    event = Event.objects.get(type="batch.imported", subject_id=batch.id)
    assert event.data == {"project": str(project.id), "added": 2}


def test_a_draft_without_schemas_is_held_to_what_its_interface_implies(owner) -> None:
    elements = [{"show": "image", "from": "picture", "alt": "x"}]
    fields = {"title": "Ducks", "interface": {"kind": "elements", "elements": elements}}
    project = services.create_project(by=owner, fields=fields)
    with pytest.raises(imports.MissingColumn):
        add(project, owner, "image\na.png\n")
    assert add(project, owner, "picture,more\na.png,x\n").added == 1


def test_refuse_adds_nothing_and_keeps_the_report(project, owner) -> None:
    batch = add(project, owner, "image,n\na.png,1\nb.png,x\n,2\nc.png\n")
    assert (batch.state, batch.lines, batch.added, batch.rejected) == ("refused", 4, 0, 2)
    assert tasks_of(project) == []
    assert ProjectStats.objects.get(project=project).tasks == 0
    assert not Event.objects.filter(type="batch.imported").exists()
    rows = BatchProblem.objects.filter(batch=batch).order_by("line")
    assert list(rows.values_list("line", "code", "column", "detail")) == [
        (3, "wrong_type", "n", "“x” is not a whole number."),
        (5, "wrong_cell_count", "", "1 cells, where the header has 2."),
    ]


def test_a_report_of_names_that_no_database_stores_is_kept(project, owner) -> None:
    names = '"x\\u0000": 1' + "".join(f', "{c * 500}": 1' for c in "yz")
    batch = add(project, owner, f'{{"input": {{"image": "a"}}, {names}}}\n', "jsonl")
    problem = BatchProblem.objects.get(batch=batch)
    assert problem.column == "x\ufffd"


def test_keep_adds_the_good_lines(project, owner) -> None:
    batch = add(project, owner, "image,n\na.png,1\nb.png,x\nc.png,3\n", on_error="keep")
    assert (batch.state, batch.lines, batch.added, batch.rejected) == ("done", 3, 2, 1)
    assert [row[2]["image"] for row in tasks_of(project)] == ["a.png", "c.png"]
    assert BatchProblem.objects.filter(batch=batch).count() == 1


def test_keep_with_no_good_line_is_done_and_has_added_nothing(project, owner) -> None:
    batch = add(project, owner, "image,n\nb.png,x\n", on_error="keep")
    assert (batch.state, batch.added, batch.rejected) == ("done", 0, 1)


def test_importing_again_with_a_key_adds_only_what_is_new(project, owner) -> None:
    data = "id,image\n1,a.png\n2,b.png\n1,again.png\n"
    first = add(project, owner, data, key="id")
    assert (first.lines, first.added, first.duplicates) == (3, 2, 1)
    second = add(project, owner, "id,image\n2,changed.png\n3,c.png\n1,a.png\n4,d.png\n", key="id")
    assert (second.lines, second.added, second.duplicates) == (4, 2, 2)
    third = add(project, owner, data, key="id")
    assert (third.added, third.duplicates) == (0, 3)
    assert tasks_of(project) == [
        (0, "1", {"image": "a.png"}),
        (1, "2", {"image": "b.png"}),
        (2, "3", {"image": "c.png"}),
        (3, "4", {"image": "d.png"}),
    ]
    assert ProjectStats.objects.get(project=project).tasks == 4


def test_keys_are_of_one_project(project, owner) -> None:
    add(project, owner, "id,image\n1,a.png\n", key="id")
    assert add(make_project(owner), owner, "id,image\n1,a.png\n", key="id").added == 1


def test_records_without_a_key_among_keyed_ones_are_all_added(project, owner) -> None:
    record = '{"input": {"image": "a"}}\n'
    keyed = '{"input": {"image": "a"}, "key": "t\\t\\\\N\\n"}\n'
    assert add(project, owner, record + keyed + record + keyed, "jsonl").added == 3
    assert {row[1] for row in tasks_of(project)} == {None, "t\t\\N\n"}


def test_two_imports_at_once_of_the_same_keyed_file_add_each_task_once(together, make_user) -> None:
    owner = make_user("Owner")
    project = make_project(owner)
    data = "id,image\n" + "".join(f"{n},{n}.png\n" for n in range(3000))

    def run() -> tuple[int, int]:
        batch = add(project, owner, data, key="id")
        return batch.added, batch.duplicates

    assert sorted(together(run, run, run)) == [(0, 3000), (0, 3000), (3000, 0)]
    assert [row[0] for row in tasks_of(project)] == list(range(3000))


def test_imports_at_once_get_positions_without_holes(together, make_user) -> None:
    owner = make_user("Owner")
    project = make_project(owner)
    data = "image\n" + "a.png\n" * 500
    results = together(*[lambda: add(project, owner, data).added] * 4)
    assert results == [500] * 4
    assert [row[0] for row in tasks_of(project)] == list(range(2000))


def test_adding_to_a_published_project_opens_and_funds_the_places(project, owner) -> None:
    add(project, owner, "image\na.png\n")
    deposit(owner, 2 * 15 + 3 * 2 * 15)
    services.publish_project(project_id=project.id, by=owner)
    batch = add(project, owner, "image\nb.png\nc.png\nd.png\n")
    assert batch.funded == 90
    assert balance_of(owner_id=owner.id, currency="USD") == 0
    opened = OpenTask.objects.filter(project=project).order_by("position")
    assert list(opened.values_list("position", "free")) == [(0, 2), (1, 2), (2, 2), (3, 2)]
    assert {row.task_id for row in opened} == set(Task.objects.filter(project=project).values_list("id", flat=True))
    stats = ProjectStats.objects.get(project=project)
    assert (stats.tasks, stats.open_places) == (4, 8)


@pytest.mark.parametrize("options", [{}, {"key": "image"}])
def test_a_purse_that_cannot_pay_refuses_the_whole_import(project, owner, options) -> None:
    add(project, owner, "image\na.png\n")
    deposit(owner, 2 * 15 + 89)
    services.publish_project(project_id=project.id, by=owner)
    with pytest.raises(InsufficientFunds):
        add(project, owner, "image\nb.png\nc.png\nd.png\n", **options)
    assert len(tasks_of(project)) == OpenTask.objects.count() == Batch.objects.count() == 1
    assert balance_of(owner_id=owner.id, currency="USD") == 89
    project.refresh_from_db()
    assert project.last_position == 0
    assert ProjectStats.objects.get(project=project).tasks == 1


def test_a_published_project_checks_against_what_is_published(project, owner) -> None:
    add(project, owner, "image\na.png\n")
    deposit(owner, 1000)
    services.publish_project(project_id=project.id, by=owner)
    draft = {"input_schema": {**INPUT, "required": ["image", "n"]}}
    services.edit_project(project_id=project.id, by=owner, fields=draft)
    assert add(project, owner, "image\nb.png\n").added == 1


def test_a_closed_project_takes_no_tasks(project, owner) -> None:
    add(project, owner, "image\na.png\n")
    deposit(owner, 30)
    services.publish_project(project_id=project.id, by=owner)
    services.close_project(project_id=project.id, by=owner)
    with pytest.raises(DomainError) as raised:
        add(project, owner, "image\nb.png\n")
    assert raised.value.code == "project_closed"


def test_a_stranger_cannot_import(project, make_user) -> None:
    with pytest.raises(NotFound):
        add(project, make_user("Stranger"), "image\na.png\n")
    assert not Batch.objects.exists()


def test_a_schema_that_changes_while_the_file_is_read_is_a_conflict(project, owner) -> None:
    with service.read_tasks(
        project_id=project.id, by=owner, stream=io.BytesIO(b"image\na.png\n"), format="csv", options=Options()
    ) as prepared:
        Version.objects.filter(id=project.draft_id).update(input_schema={"type": "object", "required": ["n"]})
        with pytest.raises(service.SchemaChanged):
            service.add_tasks(project_id=project.id, by=owner, prepared=prepared)
    assert tasks_of(project) == []


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_an_upload_is_read(make_user) -> None:
    owner = make_user("Owner")
    project = make_project(owner)
    states = []

    def stream() -> Iterator[bytes]:
        yield b"image\n"
        states.append(connection.in_atomic_block)
        yield b"a.png\n"

    options = Options()
    batch = service.import_tasks(
        project_id=project.id, by=owner, stream=Pieces(stream()), format="csv", options=options
    )
    assert batch.added == 1
    assert states == [False]


_MEMORY = """
import resource, sys
import django
django.setup()
from api.projects.imports import Options, prepare
sys.path.insert(0, ".")
from tests.projects.test_imports import ANSWER, INPUT, Pieces
record = b'{"input": {"image": "https://example.org/images/duck.png"}}'
files = {
    "csv": (b"id,image,n\\n", b"k,https://example.org/images/duck.png,7\\n", b"k,a.png,1\\n"),
    "jsonl": (b"", record + b"\\n", record + b"\\n"),
    "json": (b"[", record + b",\\n", record + b"]"),
}
def stream(format, rows):
    first, piece, last = files[format]
    yield first
    for _ in range(rows // 100):
        yield piece * 100
    yield last
def read(rows):
    for format in files:
        options = Options(key="id" if format == "csv" else None)
        with prepare(Pieces(stream(format, rows)), format, options, INPUT, ANSWER) as prepared:
            assert prepared.rows == rows + 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
small = read(60_000)
print(read(200_000) - small)
"""


def test_memory_does_not_grow_with_the_file() -> None:
    result = subprocess.run(
        [sys.executable, "-c", _MEMORY],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < 5_000  # kB
