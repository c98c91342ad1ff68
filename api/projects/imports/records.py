"""JSON lines, and JSON arrays taken apart item by item."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from api.projects.imports.body import CHUNK, Body, text_of
from api.projects.imports.refusals import EmptyFile, NotJSON
from api.projects.imports.report import MAX_ROW, Options, Problem, Report, Row
from api.projects.schemas import Schema

_BLANK = re.compile(r"[ \t\r\n]*")
_MEMBERS = frozenset({"input", "key", "gold"})


class _Bad(Exception):
    """A record that is not a task: code, column, detail."""


def json_lines(
    body: Body, options: Options, input_schema: Schema, answer_schema: Schema, report: Report
) -> Iterator[Row]:
    """Rows of a JSON lines upload."""
    for line, raw in enumerate(io.BufferedReader(body, CHUNK), 1):
        body.line = line
        if not raw.strip():
            continue
        report.lines += 1
        try:
            key, value, gold = _task(orjson.loads(raw), options)
        except orjson.JSONDecodeError as error:
            report.reject(line, [("invalid_json", "", f"This line is not JSON: {error.msg}.")])
        except _Bad as bad:
            report.reject(line, [bad.args])
        else:
            yield line, key, value, gold


def json_array(
    body: Body, options: Options, input_schema: Schema, answer_schema: Schema, report: Report
) -> Iterator[Row]:
    """Rows of a JSON array. The details of its problems start with the number of the item, from 1."""
    for line, raw in _array_items(body):
        report.lines += 1
        told = len(report.problems)
        try:
            key, value, gold = _task(orjson.loads(raw), options)
        except orjson.JSONDecodeError as error:
            report.reject(line, [("invalid_json", "", f"This is not JSON: {error.msg}.")])
        except _Bad as bad:
            report.reject(line, [bad.args])
        else:
            yield line, key, value, gold
        for index in range(told, len(report.problems)):
            problem = report.problems[index]
            detail = f"Item {report.lines}: {problem.detail}"[:500]
            report.problems[index] = Problem(problem.line, problem.code, problem.column, detail)


def _array_items(body: Body) -> Iterator[tuple[int, str]]:
    """The items of a JSON array as text, each with the line it starts on. Raises NotJSON and RowTooLong.

    Python's own scanner finds the end of an item; one that does not end within the text at hand is tried
    again with more of it.
    """
    text = text_of(body)
    scan = json.JSONDecoder().raw_decode
    buffer, at, line, ended = text.read(CHUNK), 0, 1, False

    def skip_blanks() -> str:
        """The next character that is not blank, or nothing at the end."""
        nonlocal buffer, at, line, ended
        while True:
            end = _BLANK.match(buffer, at).end()  # type: ignore[union-attr]
            line += buffer.count("\n", at, end)
            at = end
            if at < len(buffer):
                return buffer[at]
            if ended:
                return ""
            buffer, at = text.read(CHUNK), 0
            ended = not buffer

    first = skip_blanks()
    if not first:
        raise EmptyFile
    if first != "[":
        raise NotJSON('The file must be a JSON array: [{"input": {…}}, …].', line=line)
    at += 1
    if skip_blanks() == "]":
        at += 1
    else:
        while True:
            end = 0
            if skip_blanks():
                try:
                    end = scan(buffer, at)[1]
                except RecursionError:
                    raise NotJSON(f"The item on line {line} is nested too deeply.", line=line) from None
                except ValueError as error:
                    if ended:
                        reason = getattr(error, "msg", "it ends too early")
                        raise NotJSON(f"The item on line {line} is not JSON: {reason}.", line=line) from None
            if end == 0 or end == len(buffer):
                # Perhaps only the part at hand ends here.
                if ended and end == 0:
                    raise NotJSON(f"The array is not closed at the end of the file, line {line}.", line=line)
                if not ended:
                    if len(buffer) - at > MAX_ROW:
                        raise NotJSON(f"The item on line {line} is not JSON, or longer than 1 MB.", line=line)
                    more = text.read(CHUNK)
                    ended = not more
                    buffer, at = buffer[at:] + more, 0
                    continue
            body.line = line
            body.rows += 1
            yield line, buffer[at:end]
            line += buffer.count("\n", at, end)
            at = end
            mark = skip_blanks()
            at += 1
            if mark == "]":
                break
            if mark != ",":
                raise NotJSON(f"A comma or ] is missing on line {line}.", line=line)
    if skip_blanks():
        raise NotJSON(f"Something follows the end of the array on line {line}.", line=line)


def _task(record: Any, options: Options) -> tuple[str | None, dict[str, Any], dict[str, Any] | None]:
    """Key, input and gold of a record. Raises _Bad."""
    if not isinstance(record, dict):
        raise _Bad("not_an_object", "", "Each task is a JSON object.")
    if options.bare:
        key = None if options.key is None else record.get(options.key, "")
        return _key(key, options.key or "key"), record, None
    if not record.keys() <= _MEMBERS:
        name = next(name for name in record if name not in _MEMBERS)
        hint = "" if "input" in record else " If each record is an input and nothing else, import them as bare."
        raise _Bad("unknown_field", name, f"A task has input, key and gold.{hint}")
    value, gold = record.get("input"), record.get("gold")
    if not isinstance(value, dict):
        code = "missing_value" if value is None else "wrong_type"
        raise _Bad(code, "input", "The input is a JSON object.")
    if gold is not None and not isinstance(gold, dict):
        raise _Bad("wrong_type", "gold", "The gold answer is a JSON object.")
    return _key(record.get("key"), "key"), value, gold or None


def _key(key: Any, column: str) -> str | None:
    if isinstance(key, bool) or not isinstance(key, str | int | None):
        raise _Bad("wrong_type", column, "The key is a text or a whole number.")
    return None if key is None else str(key)
