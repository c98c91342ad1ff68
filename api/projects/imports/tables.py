"""CSV: delimiters, headers, and cells that become typed values."""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from api.core.errors import FieldError
from api.projects import schemas
from api.projects.imports.body import Body, text_of
from api.projects.imports.refusals import EmptyFile, MissingColumn, WrongHeader, row_too_long
from api.projects.imports.report import MAX_ROW, Found, Options, Report, Row
from api.projects.schemas import Schema

DELIMITERS = ",;\t|"
MAX_COLUMNS = 1_000
_SAMPLE = 65_536
_INTEGER = re.compile(r"[+-]?\d{1,19}\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)

# One limit for the whole process; nothing else here reads CSV with longer fields.
csv.field_size_limit(MAX_ROW)


@dataclass(slots=True)
class _Column:
    place: int
    name: str
    read: Callable[[str], Any] | None
    keeps_empty: bool


@dataclass(slots=True)
class _Columns:
    count: int
    key: int | None
    inputs: list[_Column]
    gold: list[_Column]

    @property
    def plain(self) -> bool:
        """Whether a row without an empty cell becomes the input as it is."""
        return len(self.inputs) == self.count and all(column.read is None for column in self.inputs)


def csv_rows(
    body: Body, options: Options, input_schema: Schema, answer_schema: Schema, report: Report
) -> Iterator[Row]:
    """Rows of a CSV upload, whose first line names the columns. Blank lines count for nothing."""
    text = text_of(body)
    sample: bytes = text.buffer.peek(_SAMPLE)[:_SAMPLE]  # type: ignore[attr-defined]
    delimiter = options.delimiter or guess_delimiter(sample.decode("utf-8", "ignore"))
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    columns = _columns(_header(reader), options, input_schema, answer_schema)
    count, key_place, inputs, gold = columns.count, columns.key, columns.inputs, columns.gold
    plain, names = columns.plain, [column.name for column in inputs]
    body.line = before = reader.line_num
    while True:
        try:
            for row in reader:
                line = before + 1
                body.line = before = reader.line_num
                if len(row) != count:
                    if row:
                        report.lines += 1
                        detail = f"{len(row)} cells, where the header has {count}."
                        report.reject(line, [("wrong_cell_count", "", detail)])
                    continue
                report.lines += 1
                key = None if key_place is None else row[key_place].strip()
                if plain and "" not in row:
                    yield line, key, dict(zip(names, row, strict=True)), None
                    continue
                problems: list[Found] = []
                value = _values(inputs, row, problems)
                known = _values(gold, row, problems, options.gold) or None
                if problems:
                    report.reject(line, problems)
                else:
                    yield line, key, value, known
            return
        except csv.Error as error:
            line = before + 1
            body.line = before = reader.line_num
            if "field limit" in str(error):
                raise row_too_long(line) from None
            report.lines += 1
            report.reject(line, [("bad_quotes", "", _quotes(error))])


def _quotes(error: csv.Error) -> str:
    if "end of data" in str(error):
        return "A quote that opens in this row is never closed."
    return "Something follows a closing quote. Inside quotes, write a quote twice."


def _header(reader: Any) -> list[str]:
    try:
        for row in reader:
            names = [name.strip() for name in row]
            if names not in ([], [""]):
                return names
    except csv.Error as error:
        if "field limit" in str(error):
            raise row_too_long(1) from None
        raise WrongHeader(f"The first line cannot be read. {_quotes(error)}") from None
    raise EmptyFile


def _columns(header: list[str], options: Options, input_schema: Schema, answer_schema: Schema) -> _Columns:
    """What each column is for. Raises WrongHeader and MissingColumn, each naming all columns at fault."""
    if len(header) > MAX_COLUMNS:
        raise WrongHeader(f"The header has {len(header):,} columns; the most is {MAX_COLUMNS:,}.")
    answers = schemas.properties_of(answer_schema)
    known = schemas.properties_of(input_schema)
    required = schemas.required_of(input_schema)
    closed = input_schema.get("additionalProperties") is False and "patternProperties" not in input_schema
    wrong: list[FieldError] = []
    columns = _Columns(len(header), None, [], [])
    for place, name in enumerate(header):
        if not name:
            wrong.append(FieldError(f"column {place + 1}", "This column has no name.", "unnamed_column"))
        elif name in header[:place]:
            wrong.append(FieldError(name, "Two columns have this name.", "duplicate_column"))
        elif options.gold and name.startswith(options.gold):
            label = name[len(options.gold) :]
            if label not in answers and "properties" in answer_schema:
                detail = f"The answer schema has no key {label!r}."
                wrong.append(FieldError(name, detail, "unknown_column"))
            part = answers.get(label, {})
            columns.gold.append(_Column(place, label, _cell_reader(answer_schema, part), False))
        else:
            if name == options.key:
                columns.key = place
            if name in known or name != options.key:
                if closed and name not in known:
                    detail = "The input schema has no such key and allows no other."
                    wrong.append(FieldError(name, detail, "unknown_column"))
                reader = _cell_reader(input_schema, known.get(name, {}))
                columns.inputs.append(_Column(place, name, reader, reader is None and name in required))
    if wrong:
        raise WrongHeader(errors=wrong)
    missing = sorted(required - {column.name for column in columns.inputs})
    if options.key and columns.key is None:
        missing = sorted({*missing, options.key})
    if missing:
        named = ", ".join(missing)
        message = f"The column {named} is missing." if len(missing) == 1 else f"Columns are missing: {named}."
        raise MissingColumn(
            message,
            errors=[FieldError(name, "This column is missing.", "missing_column") for name in missing],
        )
    return columns


def _values(columns: list[_Column], row: list[str], problems: list[Found], prefix: str = "") -> dict[str, Any]:
    values = {}
    for column in columns:
        cell = row[column.place]
        if not cell and not column.keeps_empty:
            continue
        if column.read is None:
            values[column.name] = cell
            continue
        try:
            values[column.name] = column.read(cell)
        except ValueError as error:
            shown = cell if len(cell) <= 40 else cell[:39] + "…"
            problems.append(("wrong_type", prefix + column.name, f"“{shown}” is not {error}."))
    return values


def guess_delimiter(sample: str) -> str:
    """The delimiter that cuts the first lines into the most equal rows of two cells or more; else a comma."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths = []
        try:
            for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
                if row:
                    widths.append(len(row))
        except csv.Error:
            pass
        if len(sample) >= _SAMPLE // 2 and len(widths) > 1:
            widths.pop()  # cut off in the middle
        if not widths or widths[0] < 2:
            continue
        score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _cell_reader(schema: Schema, part: Schema) -> Callable[[str], Any] | None:
    """How a cell becomes a value of its schema's type; None: it stays the text it is.

    A reader raises ValueError with what the cell should have been.
    """
    types = schemas.types_of(schema, part) - {"null"}
    if not types or "string" in types:
        return None
    readers = [read for name, read in _READERS.items() if name in types]
    if len(readers) == 1:
        return readers[0]

    def read_any(cell: str) -> Any:
        wanted = []
        for read in readers:
            try:
                return read(cell)
            except ValueError as error:
                wanted.append(str(error))
        raise ValueError(" or ".join(wanted))

    return read_any


def _integer(cell: str) -> int:
    text = cell.strip()
    if not _INTEGER.match(text) or not -(2**63) <= int(text) < 2**63:
        raise ValueError("a whole number")
    return int(text)


def _number(cell: str) -> int | float:
    text = cell.strip()
    if _INTEGER.match(text) and -(2**63) <= int(text) < 2**63:
        return int(text)
    value = float(text) if _NUMBER.match(text) else math.inf
    if not math.isfinite(value):
        raise ValueError("a number")
    return value


def _boolean(cell: str) -> bool:
    value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(cell.strip().lower())
    if value is None:
        raise ValueError("true or false")
    return value


def _json_list(cell: str) -> Any:
    return _json_cell(cell, list, "a JSON list")


def _json_object(cell: str) -> Any:
    return _json_cell(cell, dict, "a JSON object")


def _json_cell(cell: str, kind: type, named: str) -> Any:
    try:
        value = orjson.loads(cell)
    except orjson.JSONDecodeError:
        raise ValueError(named) from None
    if not isinstance(value, kind):
        raise ValueError(named)
    return value


_READERS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "array": _json_list,
    "object": _json_object,
}
