"""Importing tasks: read the upload first, then add all of it in one short transaction."""

from io import BytesIO
from typing import IO
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from api.accounts.models import User
from api.collectives import services as collectives
from api.core.errors import Conflict
from api.core.ids import uuid7
from api.projects import errors
from api.projects.imports import Format, Options, Prepared, Readable, prepare
from api.projects.models import Batch, BatchProblem, Project, ProjectState, ProjectStats
from api.projects.selectors import access_project
from api.projects.services.checks import effective_schemas
from api.projects.services.escrow import fund_places
from api.realtime import outbox

_BLOCK = 262_144


class SchemaChanged(Conflict):
    code = "schema_changed"
    message = "The project's schemas were changed while the file was being read. Import it again."


def import_tasks(
    *, project_id: UUID, by: User, stream: Readable, format: Format, options: Options | None = None
) -> Batch:
    """Read an upload and add its tasks: `read_tasks`, then `add_tasks`; see there for what each raises.

    Called inside a transaction, it keeps that open while the upload comes in. For a large one call the two apart.
    """
    with read_tasks(
        project_id=project_id, by=by, stream=stream, format=format, options=options or Options()
    ) as prepared:
        return add_tasks(project_id=project_id, by=by, prepared=prepared)


def require_can_import(*, project_id: UUID, by: User) -> None:
    """Refuse, before an upload is looked at, whoever may not import. Raises NotFound, and what `govern` raises."""
    collectives.govern(actor=by, action="project.import", subject=access_project(by, project_id))


def read_tasks(*, project_id: UUID, by: User, stream: Readable, format: Format, options: Options) -> Prepared:
    """Read an upload to its end and check every line. Changes nothing. Close what is returned.

    Inputs are checked against the published version; before there is one, against the draft. Raises NotFound,
    ProjectClosed, FileRefused, and what `govern` raises.
    """
    project = _importable(access_project(by, project_id), by)
    input_schema, answer_schema = _schemas(project)
    return prepare(stream, format, options, input_schema, answer_schema)


@transaction.atomic
def add_tasks(*, project_id: UUID, by: User, prepared: Prepared) -> Batch:
    """Add what was read: all good rows and their batch, or none.

    A key that the project has, or that came earlier in the file, is a duplicate and not added again. In a published
    project the new places open and are funded. When lines are bad and the upload said "refuse", nothing is added
    and the batch that is returned is `refused`: it is not raised, because its report must be kept.

    Raises NotFound, ProjectClosed, SchemaChanged, ledger's InsufficientFunds, and what `govern` raises.
    """
    project = _importable(access_project(by, project_id, lock=True), by)
    if _schemas(project) != (prepared.input_schema, prepared.answer_schema):
        raise SchemaChanged
    report, options = prepared.report, prepared.options
    refused = options.on_error == "refuse" and report.rejected > 0
    batch = Batch(
        id=uuid7(),
        project=project,
        state=Batch.State.REFUSED if refused else Batch.State.DONE,
        filename=options.filename[:200],
        format=prepared.format,
        on_error=options.on_error,
        lines=report.lines,
        rejected=report.rejected,
        created_by=by,
    )
    if not refused and prepared.rows:
        batch.added = _store(project, batch.id, prepared)
        batch.duplicates = prepared.rows - batch.added
        batch.funded = _open(project, batch, by)
    batch.save(force_insert=True)
    _store_problems(batch, prepared)
    if batch.added:
        outbox.publish(
            "batch.imported",
            subject=batch.id,
            audience=[project.collective_id],
            data={"project": str(project.id), "added": batch.added},
        )
    return batch


def _importable(project: Project, by: User) -> Project:
    collectives.govern(actor=by, action="project.import", subject=project)
    if project.state == ProjectState.CLOSED:
        raise errors.ProjectClosed
    return project


def _schemas(project: Project) -> tuple[dict[str, object], dict[str, object]]:
    version = project.published or project.draft
    if version is None:
        raise errors.WrongState
    return effective_schemas(version)


def _store(project: Project, batch_id: UUID, prepared: Prepared) -> int:
    """Copy the rows into the table, in the order of the file. Returns how many were new."""
    prepared.file.seek(0)
    if prepared.keyed:
        added = _copy_new_keys(project, batch_id, prepared.file)
    else:
        added = prepared.rows
        fixed = f"\t{project.id}\t{batch_id}\t".encode()
        _copy(
            "projects_task (position, project_id, batch_id, id, key, input, gold)",
            _Numbered(prepared.file, project.last_position + 1, fixed),
        )
    return added


def _copy_new_keys(project: Project, batch_id: UUID, file: IO[bytes]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE incoming (number integer, id uuid, key text, input jsonb, gold jsonb)"
            " ON COMMIT DROP"
        )
        _copy("incoming (number, id, key, input, gold)", _Numbered(file, 0, b"\t"))
        cursor.execute("ANALYZE incoming (key)")
        cursor.execute(
            "DELETE FROM incoming USING projects_task t WHERE t.project_id = %s AND t.key = incoming.key",
            [project.id],
        )
        cursor.execute(
            "DELETE FROM incoming USING (SELECT key, min(number) AS first FROM incoming"
            " WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1) again"
            " WHERE incoming.key = again.key AND incoming.number > again.first"
        )
        cursor.execute(
            "INSERT INTO projects_task (position, project_id, batch_id, id, key, input, gold)"
            " SELECT %s + row_number() OVER (ORDER BY number), %s, %s, id, key, input, gold FROM incoming"
            " ORDER BY number",
            [project.last_position, project.id, batch_id],
        )
        added: int = cursor.rowcount
        cursor.execute("DROP TABLE incoming")
    return added


class _Numbered:
    """Rows for `COPY`, each with its number before it, read in blocks: what psycopg2 takes for a file."""

    def __init__(self, file: IO[bytes], first: int, fixed: bytes) -> None:
        self._file = file
        self._number = first
        self._fixed = fixed
        self._block = BytesIO()

    def read(self, size: int) -> bytes:
        data = self._block.read(size)
        if not data:
            self._block = BytesIO(self._next())
            data = self._block.read(size)
        return data

    def _next(self) -> bytes:
        lines = self._file.readlines(_BLOCK)
        fixed, first = self._fixed, self._number
        self._number = first + len(lines)
        return b"".join([b"%d%b%b" % (number, fixed, line) for number, line in enumerate(lines, first)])


def _copy(target: str, rows: _Numbered) -> None:
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {target} FROM STDIN", rows, _BLOCK)


def _open(project: Project, batch: Batch, by: User) -> int | None:
    """Count the batch's tasks, and in a published project open and fund their places.

    Returns the amount that went into escrow, in minor units; None for a draft.
    """
    places = 0
    if project.published is not None and batch.added:
        places = batch.added * project.assignments_per_task
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO projects_opentask (project_id, position, task_id, free)"
                " SELECT project_id, position, id, %s FROM projects_task WHERE project_id = %s AND position > %s"
                " ORDER BY position",
                [project.assignments_per_task, project.id, project.last_position],
            )
    # Only now: it locks the project's progress, which the roll-up writes, and the above may take long.
    Project.objects.filter(id=project.id).update(last_position=F("last_position") + batch.added)
    ProjectStats.objects.get_or_create(project=project)
    ProjectStats.objects.filter(project=project).update(
        tasks=F("tasks") + batch.added, open_places=F("open_places") + places
    )
    if project.published is None:
        return None
    return fund_places(project=project, places=places, by=by, key=f"import:{batch.id}")


def _store_problems(batch: Batch, prepared: Prepared) -> None:
    BatchProblem.objects.bulk_create(
        [
            BatchProblem(
                batch=batch,
                line=problem.line,
                code=problem.code,
                column=problem.column,
                detail=problem.detail,
            )
            for problem in prepared.report.problems
        ],
        batch_size=1000,
    )
