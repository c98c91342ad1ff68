"""Whether a version may be published, and whether the tasks fit its input schema."""

from collections.abc import Iterator
from typing import Any

import orjson
from django.db import connection

from api.core.errors import FieldError
from api.projects import interface, schemas
from api.projects.models import Project, Version
from api.projects.selectors import stats_of

# Above this many tasks a changed input schema is refused instead of checked: it would take too long for one request.
MOST_CHECKED = 100_000
_SHOWN_TASKS = 20


def implied_schemas(
    input_schema: dict[str, Any], answer_schema: dict[str, Any], document: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both schemas, an empty one replaced by what the elements of the interface imply."""
    implied = interface.schemas_of(document)
    return input_schema or implied[0], answer_schema or implied[1]


def effective_schemas(version: Version) -> tuple[dict[str, Any], dict[str, Any]]:
    """The input and answer schema of a version: its own, or where it has none the one its elements imply."""
    return implied_schemas(version.input_schema, version.answer_schema, version.interface)


def document_problems(
    input_schema: dict[str, Any], answer_schema: dict[str, Any], document: dict[str, Any]
) -> list[FieldError]:
    """What keeps the three documents from being published together; an empty schema is implied by the elements."""
    found = schemas.check_schema(input_schema, "input_schema")
    found += schemas.check_schema(answer_schema, "answer_schema")
    if found:
        return found + interface.check_shape(document)
    return interface.check_interface(document, *implied_schemas(input_schema, answer_schema, document))


def publishing_problems(project: Project, version: Version) -> list[FieldError]:
    """What is missing before `version` can be published, by field; empty when it is ready. Reads no task."""
    found = []
    if not version.title.strip():
        found.append(FieldError("title", "Give the project a title.", "required"))
    if version.reward < 1:
        found.append(FieldError("reward", "Set what one answer is paid.", "required"))
    if not version.interface:
        detail = "Make the interface: what a worker sees, and what they are asked."
        found.append(FieldError("interface", detail, "required"))
    else:
        found += document_problems(version.input_schema, version.answer_schema, version.interface)
    if project.published is not None and version.assignments_per_task != project.assignments_per_task:
        detail = f"A published project keeps its {project.assignments_per_task} assignments for each task."
        found.append(FieldError("assignments_per_task", detail, "fixed"))
    if stats_of(project).tasks < 1:
        found.append(FieldError("tasks", "Import at least one task.", "required"))
    return found


def task_problems(project: Project, input_schema: dict[str, Any]) -> list[FieldError]:
    """Which tasks do not fit `input_schema`, at most 20 of them; or that there are too many tasks to look."""
    tasks = stats_of(project).tasks
    if tasks > MOST_CHECKED:
        detail = (
            f"The input schema was changed after {tasks:,} tasks were imported, and more than {MOST_CHECKED:,} are"
            " not checked again. Set it back, or start a new project with this schema and import the tasks there."
        )
        return [FieldError("input_schema", detail, "too_many_tasks")]
    validator = schemas.draft_validator(input_schema)
    found: list[FieldError] = []
    for position, key, text in _inputs(project):
        value = orjson.loads(text)
        if validator.is_valid(value):
            continue
        problem = schemas.problems(validator, value, 1)[0]
        name = f"{key!r} (number {position + 1})" if key else f"number {position + 1}"
        detail = f"Task {name} does not fit: {problem.field or 'input'}: {problem.detail}"
        found.append(FieldError("input_schema", detail, "tasks_do_not_fit"))
        if len(found) == _SHOWN_TASKS:
            break
    return found


def _inputs(project: Project) -> Iterator[tuple[int, str | None, str]]:
    last = -1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT position, key, input::text FROM projects_task WHERE project_id = %s AND position > %s"
                " ORDER BY position LIMIT 2000",
                [project.id, last],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        yield from rows
        last = rows[-1][0]
