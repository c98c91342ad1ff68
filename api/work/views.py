"""The work API: feed, claim, draft, submit, give back."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from api.core.errors import FieldError, Invalid, NotFound
from api.core.http import answer
from api.core.pages import BadCursor, decode_cursor, next_link, page, read_limit
from api.core.schema import raises
from api.core.views import ApiViewSet
from api.projects.models import Task
from api.work import errors, permissions, selectors, services
from api.work import serializers as shapes
from api.work.models import Move


class FeedViewSet(ApiViewSet):
    """What the caller may work on."""

    permission_table: ClassVar = permissions.FEED
    replica_reads: ClassVar = frozenset({"list", "retrieve", "summary"})

    @extend_schema(
        operation_id="list_feed",
        parameters=[shapes.FeedQuery],
        responses={200: shapes.FeedCardOut(many=True)},
    )
    def list(self, request: Request) -> HttpResponse:
        """Projects with work left for you, with what an hour of each earns."""
        query = shapes.FeedQuery.read(request.query_params)
        limit = read_limit(request)
        after = _read_cursor(query["cursor"], query["sort"]) if "cursor" in query else None
        wanted = selectors.Wanted(
            sort=query["sort"],
            text=query["q"],
            keyword=query["keyword"],
            min_wage=query.get("min_wage"),
            requester=query.get("requester"),
            hidden=query["hidden"],
            after=after,
            limit=limit,
        )
        rows = selectors.feed(request.user, wanted)
        headers = None
        if len(rows) > limit:
            rows = rows[:limit]
            headers = next_link(request, [rows[-1]["sort_key"], rows[-1]["id"]])
        return answer([selectors.as_card(row) for row in rows], headers=headers)

    @extend_schema(operation_id="get_offer", responses={200: shapes.PreviewOut})
    def retrieve(self, request: Request, project_id: UUID) -> HttpResponse:
        """One published project, as a worker sees it before claiming."""
        row = selectors.feed_card(request.user, project_id)
        example = Task.objects.filter(project_id=project_id, position=0).values_list("input", flat=True).first()
        return answer({**selectors.as_card(row), "version": row["version"], "example_input": example})

    @extend_schema(operation_id="hide_project", request=None, responses={204: None})
    def hide(self, request: Request, project_id: UUID) -> HttpResponse:
        """Keep a project out of your feed."""
        services.hide_project(project_id=project_id, worker=request.user)
        return answer()

    @extend_schema(operation_id="show_project", responses={204: None})
    def show(self, request: Request, project_id: UUID) -> HttpResponse:
        """Let a hidden project into your feed again."""
        services.show_project(project_id=project_id, worker=request.user)
        return answer()

    @extend_schema(operation_id="get_work_summary", responses={200: shapes.SummaryOut})
    def summary(self, request: Request) -> HttpResponse:
        """What you have in hand, have earned, and what an hour of it brought."""
        return answer(selectors.work_summary(request.user, settings.CURRENCY))


class ClaimViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.CLAIMS

    @extend_schema(
        operation_id="claim_next_task",
        request=None,
        responses={
            201: shapes.ClaimOut,
            **raises(errors.NoTaskLeft, errors.ProjectNotOpen, errors.OwnProject, errors.WorkerLimit, errors.HoldLimit),
        },
    )
    def claim(self, request: Request, project_id: UUID) -> HttpResponse:
        """Take the next task of a project that you have not had."""
        claim = services.claim_next(worker_id=request.user.pk, project_id=project_id)
        return answer(shapes.claimed(claim, settings.LATE_GRACE), status=201)

    @extend_schema(
        operation_id="claim_task",
        request=None,
        responses={
            201: shapes.ClaimOut,
            **raises(
                errors.TaskTaken,
                errors.AlreadyHad,
                errors.ProjectNotOpen,
                errors.OwnProject,
                errors.WorkerLimit,
                errors.HoldLimit,
            ),
        },
    )
    def claim_task(self, request: Request, task_id: UUID) -> HttpResponse:
        """Take one given task."""
        project_id = Task.objects.filter(id=task_id).values_list("project_id", flat=True).first()
        if project_id is None:
            raise NotFound
        claim = services.claim_task(worker_id=request.user.pk, project_id=project_id, task_id=task_id)
        return answer(shapes.claimed(claim, settings.LATE_GRACE), status=201)


class AssignmentViewSet(ApiViewSet):
    """The caller's own assignments."""

    permission_table: ClassVar = permissions.ASSIGNMENTS
    replica_reads: ClassVar = frozenset({"list", "retrieve"})

    @extend_schema(
        operation_id="list_assignments",
        parameters=[shapes.AssignmentsQuery],
        responses={200: shapes.AssignmentRowOut(many=True)},
    )
    def list(self, request: Request) -> HttpResponse:
        """Your assignments, newest first."""
        states = request.query_params.getlist("state")
        data = {**request.query_params.dict(), **({"state": states} if states else {})}
        query = shapes.AssignmentsQuery.read(data)
        rows = selectors.visible_assignments(request.user).select_related("project__collective")
        rows = rows.defer("draft", "answer")
        if query.get("state"):
            rows = rows.filter(state__in=query["state"])
        if query.get("project"):
            rows = rows.filter(project_id=query["project"])
        return page(request, rows, shapes.assignment_row)

    @extend_schema(operation_id="get_assignment", responses={200: shapes.AssignmentOut})
    def retrieve(self, request: Request, assignment_id: UUID) -> HttpResponse:
        """One of your assignments, with its input, draft or answer, and every move."""
        rows = selectors.visible_assignments(request.user).select_related("project__collective", "task")
        assignment = rows.filter(id=assignment_id).first()
        if assignment is None:
            raise NotFound
        moves = Move.objects.filter(assignment_id=assignment_id).order_by("id")
        return answer(shapes.assignment_whole(assignment, list(moves)))

    @extend_schema(
        operation_id="save_draft",
        request=shapes.DraftIn,
        responses={200: shapes.SavedOut, **raises(errors.WrongState, errors.TooLate)},
    )
    def draft(self, request: Request, assignment_id: UUID) -> HttpResponse:
        """Keep what you have so far. It is not checked, and survives whatever happens to your browser or to us."""
        data = shapes.DraftIn.read(request.data)
        saved_at = services.save_draft(assignment_id=assignment_id, worker=request.user, draft=data["draft"])
        return answer({"saved_at": saved_at})

    @extend_schema(
        operation_id="submit_answer",
        request=shapes.SubmitIn,
        responses={200: shapes.SubmittedOut, **raises(errors.InvalidAnswer, errors.WrongState, errors.TooLate)},
    )
    def submit(self, request: Request, assignment_id: UUID) -> HttpResponse:
        """Hand in your answer; with `next`, take the next task in the same call."""
        data = request.data
        # Read by hand: a serializer would cost this, the most frequent call, more than the rest of the view.
        if not isinstance(data, dict) or not data.keys() <= {"answer", "next"} or "answer" not in data:
            shapes.SubmitIn.read(data)
            raise Invalid
        if not isinstance(data.get("next", False), bool):
            raise Invalid(errors=[FieldError("next", "This must be true or false.")])
        worker_id = request.user.pk
        done = services.submit_answer(assignment_id=assignment_id, worker_id=worker_id, answer=data["answer"])
        following = None
        if data.get("next"):
            following = self._claim_next(worker_id, done.project_id)
        return answer(
            {
                "id": assignment_id,
                "state": "submitted",
                "submitted_at": done.submitted_at,
                "auto_accept_at": done.auto_accept_at,
                "late": done.late,
                "next": following,
            }
        )

    @extend_schema(
        operation_id="return_assignment",
        request=shapes.ReturnIn,
        responses={200: shapes.AssignmentRowOut, **raises(errors.WrongState)},
    )
    def give_back(self, request: Request, assignment_id: UUID) -> HttpResponse:
        """Give the task back. This never counts against you."""
        data = shapes.ReturnIn.read(request.data)
        assignment = services.return_assignment(assignment_id=assignment_id, worker=request.user, reason=data["reason"])
        return answer(shapes.assignment_row(assignment))

    @extend_schema(
        operation_id="skip_assignment", request=None, responses={200: shapes.SkippedOut, **raises(errors.WrongState)}
    )
    def skip(self, request: Request, assignment_id: UUID) -> HttpResponse:
        """Give the task back and take the next."""
        assignment = services.return_assignment(assignment_id=assignment_id, worker=request.user, reason="skipped")
        return answer({"next": self._claim_next(request.user.pk, assignment.project_id)})

    def _claim_next(self, worker_id: UUID, project_id: UUID) -> dict[str, object] | None:
        """The next task, or None when there is none to have. The answer before it is handed in all the same."""
        try:
            claim = services.claim_next(worker_id=worker_id, project_id=project_id)
        except (errors.NoTaskLeft, errors.ProjectNotOpen, errors.WorkerLimit, errors.HoldLimit):
            return None
        return shapes.claimed(claim, settings.LATE_GRACE)


def _read_cursor(text: str, sort: str) -> tuple[datetime | int, str]:
    """Where the page before ended: its last sort key and project. Raises BadCursor, also for one of another order."""
    key, identifier = decode_cursor(text, 2)
    try:
        if sort == "newest":
            return datetime.fromisoformat(key), str(UUID(identifier))
        if isinstance(key, int) and abs(key) < 2**63:
            return key, str(UUID(identifier))
    except (ValueError, TypeError, AttributeError):
        raise BadCursor from None
    raise BadCursor
