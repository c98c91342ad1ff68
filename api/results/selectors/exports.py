"""Taking results out: rows for CSV and lines of JSON, from a cursor, in constant memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connections, router

from api.projects.models import Project, Task
from api.results.selectors.consensus import Labels, gold_labels
from api.results.selectors.keys import Keys, keys_of
from api.results.selectors.rows import ALIAS, stream
from api.work.models import State

_LINES = 500
_TASKS = 2000

_INSTANT = """to_char(a.submitted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_SECONDS = "round(extract(epoch FROM a.submitted_at - a.claimed_at), 1)"
_RAW = ("assignment", "task", "position", "key", "worker", "state", "submitted_at", "seconds", "reward", "currency")
_RAW_CELLS = f"a.id::text, a.task_id::text, t.position, t.key, {ALIAS}, a.state, {_INSTANT}, {_SECONDS}, a.reward, %s"
_RAW_LINE = (
    "json_build_object('assignment', a.id, 'task', a.task_id, 'position', t.position, 'key', t.key,"
    f" 'worker', {ALIAS}, 'state', a.state, 'submitted_at', {_INSTANT}, 'seconds', {_SECONDS},"
    " 'reward', json_build_object('amount', a.reward, 'currency', %s),"
    " 'answer', a.answer, 'input', t.input, 'gold', t.gold)::text"
)
_CONSENSUS = ("task", "position", "key", "label", "tie", "confidence", "answers", "gold")


@dataclass(frozen=True, slots=True)
class Export:
    """An export before its form is chosen. Read `rows` (as wide as `header`) or `lines`, once."""

    header: Sequence[str]
    rows: Iterator[Sequence[Any]]
    lines: Iterator[bytes]


def raw_export(project: Project, states: Sequence[State]) -> Export:
    """Every answer whose assignment is in one of `states`: state by state as given, oldest claim first.

    Rewards are in minor units. In CSV each key of answers and inputs has a column; lists and objects are JSON.
    """
    answer, input_ = keys_of(project, "answer"), keys_of(project, "input")
    header = [*_RAW, *_header("answer", answer), *_header("input", input_), "gold"]
    columns: list[Any] = [project.collective_id, project.currency]
    cells = ", ".join([_RAW_CELLS, *_cells("a.answer", answer, columns), *_cells("t.input", input_, columns)])
    return Export(
        header,
        _raw(project, states, f"{cells}, t.gold::text", columns),
        _joined(row[0] for row in _raw(project, states, _RAW_LINE, [project.collective_id, project.currency])),
    )


def consensus_export(labels: Labels) -> Export:
    """One row for each task that has answers, by position: its label, what ties with it, how sure it is."""
    input_ = keys_of(labels.project, "input")
    header = [*_CONSENSUS, *_header("input", input_)]
    return Export(header, _consensus_rows(labels, input_), _joined(_consensus_lines(labels)))


def _raw(project: Project, states: Sequence[State], columns: str, parameters: list[Any]) -> Iterator[tuple[Any, ...]]:
    # One ordered read of the index (project, state, id) for each state, one after the other: `state = ANY` would
    # sort them all before the first row.
    part = (
        f"(SELECT {columns} FROM work_assignment a"  # noqa: S608  (keys are parameters, the rest stands above)
        " CROSS JOIN LATERAL (SELECT * FROM projects_task WHERE id = a.task_id OFFSET 0) t"
        " WHERE a.project_id = %s AND a.state = %s AND a.answer IS NOT NULL ORDER BY a.id)"
    )
    values: list[Any] = []
    for state in states:
        values += [*parameters, project.id, str(state)]
    return stream(" UNION ALL ".join([part] * len(states)), values)


def _header(prefix: str, keys: Keys) -> list[str]:
    return [f"{prefix}.{name}" for name in keys.named] + [f"{prefix}_other"] * keys.others


def _cells(column: str, keys: Keys, parameters: list[Any]) -> list[str]:
    """SQL for each named key as text, and for an object of the other keys; adds its parameters to `parameters`."""
    parameters += keys.named
    found = [f"{column} ->> %s"] * len(keys.named)
    if keys.others:
        parameters.append(keys.named)
        found.append(
            f"CASE jsonb_typeof({column}) WHEN 'object' THEN NULLIF({column} - %s::text[], '{{}}')"
            f" ELSE {column} END::text"
        )
    return found


def _joined(lines: Iterator[Any]) -> Iterator[bytes]:
    """Lines in pieces of some hundred, each with its line end."""
    piece: list[bytes] = []
    for line in lines:
        piece.append(line.encode() if isinstance(line, str) else line)
        if len(piece) == _LINES:
            yield b"\n".join(piece) + b"\n"
            piece = []
    if piece:
        yield b"\n".join(piece) + b"\n"


def _consensus_rows(labels: Labels, input_: Keys) -> Iterator[Sequence[Any]]:
    parameters: list[Any] = []
    columns = ", ".join(_cells("t.input", input_, parameters))
    for index, gold, task in _labelled_tasks(labels, columns, parameters):
        identifier, position, key, *inputs = task
        tie = " | ".join(labels.tie(index) or ())
        votes = int(labels.consensus.votes[index])
        label, confidence = labels.label(index), labels.confidence(index)
        yield [identifier, position, key, label, tie, confidence, votes, gold, *inputs]


def _consensus_lines(labels: Labels) -> Iterator[bytes]:
    for index, gold, task in _labelled_tasks(labels, "t.input::text", []):
        identifier, position, key, text = task
        yield orjson.dumps(
            {
                "task": identifier,
                "position": position,
                "key": key,
                "label": labels.label(index),
                "tie": labels.tie(index),
                "confidence": labels.confidence(index),
                "answers": int(labels.consensus.votes[index]),
                "gold": gold,
                "input": orjson.Fragment(text),
            }
        )


def _labelled_tasks(
    labels: Labels, columns: str, parameters: list[Any]
) -> Iterator[tuple[int, str | None, tuple[Any, ...]]]:
    """(index into the consensus, known label, the task's id, position, key and `columns`), by position.

    Tasks never change, so they are read in slices, each a short query of its own.
    """
    gold = gold_labels(labels.project, labels.key)
    order = labels.in_order()
    sql = (
        f"SELECT {', '.join(filter(None, ['t.id::text, t.position, t.key', columns]))}"  # noqa: S608
        " FROM projects_task t WHERE t.project_id = %s AND t.position = ANY(%s) ORDER BY t.position"
    )
    for start in range(0, len(order), _TASKS):
        slice_ = order[start : start + _TASKS]
        positions = [labels.consensus.answers.tasks[index] for index in slice_]
        with connections[router.db_for_read(Task)].cursor() as cursor:
            cursor.execute(sql, [*parameters, labels.project.id, positions])
            tasks = cursor.fetchall()
        for index, task in zip(slice_, tasks, strict=True):
            yield index, gold.get(task[1]), task
