"""Projects, versions, imports and tasks over HTTP."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from api.accounts.models import User
from api.collectives.services import permitted
from api.core import csvtext, idempotency, markdown
from api.core.errors import DomainError, NotAllowed
from api.core.http import answer
from api.core.pages import PARAMETERS, cut, page
from api.core.problems import problem_of
from api.core.schema import raises
from api.core.views import ApiViewSet
from api.ledger.errors import InsufficientFunds
from api.projects import errors, permissions, selectors, services
from api.projects.imports import Options, Prepared, TooLarge
from api.projects.models import Batch, Project, Task
from api.projects.serializers import (
    VERB_ACTIONS,
    BatchOut,
    BatchProblemOut,
    CheckIn,
    CheckOut,
    FileIn,
    ImportIn,
    ProblemListIn,
    ProgressIn,
    ProgressOut,
    ProjectEditIn,
    ProjectIn,
    ProjectLightOut,
    ProjectListIn,
    ProjectOut,
    QuoteOut,
    TaskOut,
    TaskRecordIn,
    VersionOut,
    batch_out,
    batch_problem_out,
    offer_out,
    progress_out,
    project_light_out,
    project_out,
    quote_out,
    task_out,
    version_out,
)
from api.projects.uploads import UnknownFormat, Upload, discard, open_upload

_IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}

_UPLOADS = [
    OpenApiExample(
        "table",
        "image,gold:label\nhttps://images.example.org/0017.jpg,1\nhttps://images.example.org/0018.jpg,\n",
        summary="A first line names the columns; some rows have a known answer.",
        request_only=True,
        media_type="text/csv",
    ),
    OpenApiExample(
        "records",
        '{"input": {"image": "https://images.example.org/0017.jpg"}, "key": "0017"}\n'
        '{"input": {"image": "https://images.example.org/0018.jpg"}, "key": "0018"}\n',
        summary="One JSON record a line.",
        request_only=True,
        media_type="application/x-ndjson",
    ),
]


class ProjectViewSet(ApiViewSet):
    permission_table = permissions.PROJECTS
    replica_reads: ClassVar = frozenset({"list", "progress", "retrieve", "versions"})

    @extend_schema(
        operation_id="list_projects", parameters=[ProjectListIn], responses={200: ProjectLightOut(many=True)}
    )
    def list(self, request: Request) -> HttpResponse:
        """The projects of your collectives, newest first, without the long parts of their versions."""
        wanted = ProjectListIn.read(request.query_params)
        rows = selectors.listed_projects(
            request.user,
            state=wanted.get("state"),
            text=wanted.get("q", ""),
            collective_id=wanted.get("collective"),
        )
        found, headers = cut(request, rows)
        escrows = selectors.escrows_of([each.id for each in found])
        allowed = permitted(
            actor=request.user,
            actions=VERB_ACTIONS,
            collective_ids={each.collective_id for each in found},
        )
        shown = [
            project_light_out(each, escrow=escrows.get(each.id, 0), allowed=allowed[each.collective_id])
            for each in found
        ]
        return answer(shown, headers=headers)

    @extend_schema(operation_id="create_project", request=ProjectIn, responses={201: ProjectOut})
    def create(self, request: Request) -> HttpResponse:
        """Make a draft. Only the title is required; what else is missing, publishing will ask for."""
        fields = ProjectIn.read(request.data)
        collective_id = fields.pop("collective", None)
        project = services.create_project(by=request.user, fields=fields, collective_id=collective_id)
        return _shown(project, request.user, 201)

    @extend_schema(operation_id="check_project", request=CheckIn, responses={200: CheckOut})
    def check(self, request: Request) -> HttpResponse:
        """Check schemas and interface against each other without storing them."""
        fields = CheckIn.read(request.data)
        found = services.document_problems(fields["input_schema"], fields["answer_schema"], fields["interface"])
        implied = services.implied_schemas(fields["input_schema"], fields["answer_schema"], fields["interface"])
        return answer(
            {
                "problems": [each.as_dict() for each in found],
                "input_schema": implied[0],
                "answer_schema": implied[1],
                "instructions_html": markdown.render(fields["instructions"]),
            }
        )

    @extend_schema(operation_id="get_project", responses={200: ProjectOut})
    def retrieve(self, request: Request, project_id: UUID) -> HttpResponse:
        """A project of yours; or one that was published, as anyone sees it."""
        try:
            project = selectors.access_project(request.user, project_id)
        except NotAllowed:
            offer = selectors.access_offer(project_id)
            return answer(offer_out(offer, selectors.stats_of(offer)))
        return _shown(project, request.user)

    @extend_schema(
        operation_id="edit_project", request=ProjectEditIn, responses={200: ProjectOut, **raises(errors.ProjectClosed)}
    )
    def partial_update(self, request: Request, project_id: UUID) -> HttpResponse:
        """Change the draft version; a published project gets a new one. What is published stays as it is."""
        fields = ProjectEditIn.read(request.data)
        project = services.edit_project(project_id=project_id, by=request.user, fields=fields)
        return _shown(project, request.user)

    @extend_schema(operation_id="delete_project", responses={204: None, **raises(errors.NotADraft)})
    def destroy(self, request: Request, project_id: UUID) -> HttpResponse:
        """Delete a project that was never published, with its tasks."""
        services.delete_project(project_id=project_id, by=request.user)
        return answer()

    @extend_schema(operation_id="discard_draft", responses={200: ProjectOut})
    def discard(self, request: Request, project_id: UUID) -> HttpResponse:
        """Throw away the changes to a published project that were not published."""
        project = services.discard_draft(project_id=project_id, by=request.user)
        return _shown(project, request.user)

    @extend_schema(operation_id="list_versions", parameters=PARAMETERS, responses={200: VersionOut(many=True)})
    def versions(self, request: Request, project_id: UUID) -> HttpResponse:
        """Every version of a project, newest first."""
        project = selectors.access_project(request.user, project_id)
        rows = selectors.versions_of(project)
        return page(request, rows, lambda each: version_out(each, project.currency), order=("-number",))

    @extend_schema(operation_id="get_quote", responses={200: QuoteOut})
    def quote(self, request: Request, project_id: UUID) -> HttpResponse:
        """What publishing costs now, and what keeps the project from being published."""
        project = selectors.access_project(request.user, project_id)
        return answer(quote_out(services.quote(project_id=project_id, by=request.user), project.currency))

    @extend_schema(operation_id="get_progress", parameters=[ProgressIn], responses={200: ProgressOut})
    def progress(self, request: Request, project_id: UUID) -> HttpResponse:
        """How far a project is. Rolled up from events, at most a second or so behind."""
        wanted = ProgressIn.read(request.query_params)
        project = selectors.access_project(request.user, project_id)
        by, points = selectors.submitted_over_time(project.id, wanted.get("by"))
        return answer(progress_out(project, selectors.stats_of(project), by, points))

    @extend_schema(
        operation_id="publish_project",
        request=None,
        responses={
            200: ProjectOut,
            **raises(errors.NotReady, InsufficientFunds, errors.NothingToPublish, errors.ProjectClosed),
        },
    )
    def publish(self, request: Request, project_id: UUID) -> HttpResponse:
        """Publish the draft version. The first time its whole cost moves into escrow."""
        return _shown(services.publish_project(project_id=project_id, by=request.user), request.user)

    @extend_schema(operation_id="pause_project", request=None, responses={200: ProjectOut, **raises(errors.WrongState)})
    def pause(self, request: Request, project_id: UUID) -> HttpResponse:
        """Let nobody claim any more; what is claimed goes on."""
        return _shown(services.pause_project(project_id=project_id, by=request.user), request.user)

    @extend_schema(
        operation_id="resume_project", request=None, responses={200: ProjectOut, **raises(errors.WrongState)}
    )
    def resume(self, request: Request, project_id: UUID) -> HttpResponse:
        """Let workers claim again."""
        return _shown(services.resume_project(project_id=project_id, by=request.user), request.user)

    @extend_schema(operation_id="close_project", request=None, responses={200: ProjectOut, **raises(errors.WrongState)})
    def close(self, request: Request, project_id: UUID) -> HttpResponse:
        """End a project for good. The money of its open places goes back to the purse."""
        return _shown(services.close_project(project_id=project_id, by=request.user), request.user)


class VersionViewSet(ApiViewSet):
    permission_table = permissions.VERSIONS
    replica_reads: ClassVar = frozenset({"retrieve"})

    @extend_schema(operation_id="get_version", responses={200: VersionOut})
    def retrieve(self, request: Request, version_id: UUID) -> HttpResponse:
        """One version. Once published it never changes, so it can be kept."""
        version = selectors.access_version(request.user, version_id)
        headers = _IMMUTABLE if version.published_at else {"Cache-Control": "no-store"}
        return answer(version_out(version, version.project.currency), headers=headers)


class BatchViewSet(ApiViewSet):
    permission_table = permissions.BATCHES
    replica_reads: ClassVar = frozenset({"list", "problems", "retrieve"})

    @extend_schema(operation_id="list_batches", parameters=PARAMETERS, responses={200: BatchOut(many=True)})
    def list(self, request: Request, project_id: UUID) -> HttpResponse:
        """The imports of a project, newest first."""
        project = selectors.access_project(request.user, project_id)
        found, headers = cut(request, selectors.batches_of(project))
        problems = selectors.first_problems([each.id for each in found])
        shown = [batch_out(each, problems[each.id], project.currency) for each in found]
        return answer(shown, headers=headers)

    @extend_schema(operation_id="get_batch", responses={200: BatchOut})
    def retrieve(self, request: Request, batch_id: UUID) -> HttpResponse:
        """One import, with its first 100 problems."""
        batch = selectors.access_batch(request.user, batch_id)
        return answer(_batch_shown(batch))

    @extend_schema(operation_id="delete_batch", responses={204: None, **raises(errors.NotADraft)})
    def destroy(self, request: Request, batch_id: UUID) -> HttpResponse:
        """Delete an import and its tasks, as long as the project was never published."""
        services.delete_batch(batch_id=batch_id, by=request.user)
        return answer()

    @extend_schema(
        operation_id="list_batch_problems",
        parameters=[ProblemListIn],
        responses={
            (200, "application/json"): BatchProblemOut(many=True),
            (200, "text/csv"): OpenApiResponse(
                OpenApiTypes.STR,
                examples=[
                    OpenApiExample("table", "line,code,column,detail\r\n17,invalid_value,image,This is not a URI.\r\n")
                ],
            ),
        },
    )
    def problems(self, request: Request, batch_id: UUID) -> HttpResponse:
        """What was wrong with the lines of an import, by line; as CSV all of it at once."""
        wanted = ProblemListIn.read(request.query_params)
        batch = selectors.access_batch(request.user, batch_id)
        rows = selectors.problems_of(batch)
        if wanted["format"] == "json":
            return page(request, rows, batch_problem_out, order=("line", "id"))
        cells = ([each.line, each.code, each.column, each.detail] for each in rows.order_by("line", "id").iterator())
        return csvtext.response(f"problems-{batch.id}.csv", ["line", "code", "column", "detail"], cells)


class TaskViewSet(ApiViewSet):
    permission_table = permissions.TASKS
    replica_reads: ClassVar = frozenset({"list", "retrieve"})

    @extend_schema(operation_id="list_tasks", parameters=PARAMETERS, responses={200: TaskOut(many=True)})
    def list(self, request: Request, project_id: UUID) -> HttpResponse:
        """The tasks of a project in the order in which they were imported."""
        project = selectors.access_project(request.user, project_id)
        found, headers = cut(request, selectors.tasks_of(project), order=("position",))
        free = selectors.free_by_position(project.id, [each.position for each in found])
        shown = [task_out(each, project, free.get(each.position, 0)) for each in found]
        return answer(shown, headers=headers)

    @extend_schema(
        operation_id="import_tasks",
        parameters=[ImportIn],
        request={
            "text/csv": OpenApiTypes.STR,
            "application/x-ndjson": OpenApiTypes.STR,
            "application/json": TaskRecordIn(many=True),
            "multipart/form-data": FileIn,
        },
        examples=_UPLOADS,
        responses={
            201: BatchOut,
            **raises(errors.LinesRefused, InsufficientFunds, errors.ProjectClosed, UnknownFormat, TooLarge),
        },
    )
    def create(self, request: Request, project_id: UUID) -> HttpResponse:
        """Import tasks from CSV, JSON lines or a JSON array, of any size.

        A first line names the CSV's columns; JSON records are `{"input": {…}, "key": "…", "gold": {…}}`. In a
        published project the new tasks are funded and open at once, or nothing is added.
        """
        with self._read(request, project_id, self._open(request, project_id)) as prepared:
            return self._add(request, project_id, prepared)

    def _run_once(self, request: Request, key: str) -> None:
        """An upload is read before the key's transaction begins, so that none is open while it comes in."""
        if self.action != "create":
            return super()._run_once(request, key)

        def once(request: Request, project_id: UUID) -> HttpResponse:
            upload = self._open(request, project_id)
            try:
                prepared = self._read(request, project_id, upload)
            except DomainError as error:
                return _once(request, key, _raising(error), upload.drain())
            with prepared:
                return _once(request, key, lambda: self._add(request, project_id, prepared), upload.drain())

        self.post = once
        return None

    def _open(self, request: Request, project_id: UUID) -> Upload:
        """Only for who may import: a form is spooled to disk as soon as it is opened."""
        try:
            services.require_can_import(project_id=project_id, by=request.user)
        except DomainError:
            discard(request._request)
            raise
        return open_upload(request._request)

    def _read(self, request: Request, project_id: UUID, upload: Upload) -> Prepared:
        wanted = ImportIn.read(request.query_params)
        options = Options(**{"filename": upload.name, **wanted})
        try:
            return services.read_tasks(
                project_id=project_id, by=request.user, stream=upload, format=upload.format, options=options
            )
        except DomainError:
            upload.drain()
            raise

    def _add(self, request: Request, project_id: UUID, prepared: Prepared) -> HttpResponse:
        batch = services.add_tasks(project_id=project_id, by=request.user, prepared=prepared)
        shown = _batch_shown(batch)
        if batch.state == Batch.State.REFUSED:
            raise errors.LinesRefused(batch=shown)
        return answer(shown, 201)

    @extend_schema(operation_id="get_task", responses={200: TaskOut})
    def retrieve(self, request: Request, task_id: UUID) -> HttpResponse:
        """One task."""
        task = selectors.access_task(request.user, task_id)
        return answer(_task_shown(task))

    @extend_schema(operation_id="delete_task", responses={204: None, **raises(errors.NotADraft)})
    def destroy(self, request: Request, task_id: UUID) -> HttpResponse:
        """Delete one task of a project that was never published."""
        services.delete_task(task_id=task_id, by=request.user)
        return answer()


def _shown(project: Project, user: User, status: int = 200) -> HttpResponse:
    escrow = selectors.escrows_of([project.id]).get(project.id, 0)
    allowed = permitted(actor=user, actions=VERB_ACTIONS, collective_ids=[project.collective_id])
    shown = project_out(
        project,
        stats=selectors.stats_of(project),
        escrow=escrow,
        allowed=allowed[project.collective_id],
    )
    return answer(shown, status)


def _batch_shown(batch: Batch) -> dict[str, Any]:
    problems = selectors.first_problems([batch.id])[batch.id]
    return batch_out(batch, problems, batch.project.currency)


def _task_shown(task: Task) -> dict[str, Any]:
    free = selectors.free_by_position(task.project_id, [task.position])
    return task_out(task, task.project, free.get(task.position, 0))


def _once(request: Request, key: str, work: Any, body_digest: bytes) -> HttpResponse:
    return idempotency.run_once(request, key, work, problem_of, body_digest)


def _raising(error: DomainError) -> Any:
    def work() -> HttpResponse:
        raise error

    return work
