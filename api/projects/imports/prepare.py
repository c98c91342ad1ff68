"""From an upload to rows ready for the database."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson
from django.conf import settings
from jsonschema_rs import Draft202012Validator
from uuid_utils import uuid7

from api.core.errors import FieldError
from api.projects import schemas
from api.projects.imports.body import CHUNK, Body
from api.projects.imports.records import json_array, json_lines
from api.projects.imports.refusals import EmptyFile, row_too_long
from api.projects.imports.report import MAX_ROW, PROBLEMS_PER_LINE, Format, Options, Readable, Report, Row
from api.projects.imports.tables import csv_rows
from api.projects.schemas import Schema

MAX_KEY = 200


@dataclass(slots=True)
class Prepared:
    """An upload that has been read. Close it, or use it in `with`, to be rid of its temporary file.

    `file` holds `rows` lines of `COPY` text: id, key, input, gold.
    """

    file: IO[bytes]
    format: Format
    options: Options
    input_schema: Schema
    answer_schema: Schema
    report: Report
    rows: int = 0
    keyed: bool = False

    def __enter__(self) -> "Prepared":
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()


def prepare(
    stream: Readable, format: Format, options: Options, input_schema: Schema, answer_schema: Schema
) -> Prepared:
    """Read an upload to its end. Raises FileRefused.

    Each input is checked against `input_schema`, each gold answer against the keys of `answer_schema`. Once a
    line is bad and `on_error` is "refuse", the rest is still read, for its report, but no longer kept.
    """
    body = Body(stream)
    report = Report()
    reader = {"csv": csv_rows, "jsonl": json_lines, "json": json_array}[format]
    check = _RowCheck(schemas.draft_validator(input_schema), _gold_validator(answer_schema), report)
    file = tempfile.TemporaryFile(buffering=CHUNK, dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115
    try:
        prepared = Prepared(file, format, options, input_schema, answer_schema, report)
        _write_rows(reader(body, options, input_schema, answer_schema, report), check, prepared)
        if report.lines == 0:
            raise EmptyFile
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return prepared


def _write_rows(rows: Iterator[Row], check: "_RowCheck", prepared: Prepared) -> None:
    """Check every row and keep the good ones. A tight loop: it runs for each of millions of rows."""
    refuse = prepared.options.on_error == "refuse"
    report = prepared.report
    write, dump, new_id = prepared.file.write, orjson.dumps, uuid7
    is_valid = check.inputs.is_valid
    kept, keyed = 0, False
    for line, key, value, gold in rows:
        if (
            not is_valid(value)
            or gold is not None
            or not (key is None or (key and len(key) <= MAX_KEY and "\0" not in key))
        ) and not check.accepts(line, key, value, gold):
            continue
        text = dump(value)
        if len(text) > MAX_ROW:
            raise row_too_long(line)
        if b"\\" in text:
            if b"\\u0000" in text and _has_nul(value):
                report.reject(line, [("nul_character", "", "Text must not contain NUL characters.")])
                continue
            text = text.replace(b"\\", b"\\\\")
        if refuse and report.rejected:
            continue
        kept += 1
        keyed = keyed or key is not None
        if key is None and gold is None:
            write(b"%b\t\\N\t%b\t\\N\n" % (str(new_id()).encode(), text))
        else:
            known = b"\\N" if gold is None else dump(gold).replace(b"\\", b"\\\\")
            name = b"\\N" if key is None else _copy_text(key)
            write(b"%b\t%b\t%b\t%b\n" % (str(new_id()).encode(), name, text, known))
    prepared.rows, prepared.keyed = kept, keyed


class _RowCheck:
    """The slow path of a row: what exactly is wrong with it, if anything."""

    def __init__(self, inputs: Draft202012Validator, gold: Draft202012Validator, report: Report) -> None:
        self.inputs = inputs
        self.gold = gold
        self.report = report

    def accepts(self, line: int, key: str | None, value: dict[str, Any], gold: dict[str, Any] | None) -> bool:
        found = [_told(error) for error in schemas.problems(self.inputs, value, PROBLEMS_PER_LINE)]
        if gold is not None:
            found += [
                (code, f"gold:{column}" if column else "gold", detail)
                for code, column, detail in map(_told, schemas.problems(self.gold, gold, PROBLEMS_PER_LINE))
            ]
            if _has_nul(gold):
                found.append(("nul_character", "gold", "Text must not contain NUL characters."))
        if key is not None:
            if not key:
                found.append(("missing_key", "key", "The key is empty."))
            elif len(key) > MAX_KEY:
                found.append(("key_too_long", "key", f"A key has at most {MAX_KEY} characters."))
            elif "\0" in key:
                found.append(("nul_character", "key", "Text must not contain NUL characters."))
        if found:
            self.report.reject(line, found)
        return not found


def _told(error: FieldError) -> tuple[str, str, str]:
    """A problem of a value as a problem of a line."""
    code = {"required": "missing_value", "unknown_field": "unknown_column", "wrong_type": "wrong_type"}
    return code.get(error.code, "invalid_value"), error.field, error.detail


def _gold_validator(answer_schema: Schema) -> Draft202012Validator:
    if "properties" not in answer_schema:
        return schemas.draft_validator({"type": "object"})
    return schemas.draft_validator(schemas.partial_schema(answer_schema))


def _copy_text(text: str) -> bytes:
    escaped = text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return escaped.encode()


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in name or _has_nul(part) for name, part in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))
