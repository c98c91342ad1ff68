"""The review API."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from api.core.http import answer
from api.core.money import money, parse_money
from api.core.pages import page
from api.core.schema import raises
from api.core.views import ApiViewSet
from api.ledger.errors import InsufficientFunds
from api.projects.selectors import access_project
from api.reviews import errors, permissions, selectors, services
from api.reviews import serializers as shapes
from api.work.models import Assignment, Move
from api.work.selectors import moves_of


class ReviewViewSet(ApiViewSet):
    """Answers to the projects of the caller's collectives."""

    permission_table: ClassVar = permissions.REVIEWS
    replica_reads: ClassVar = frozenset({"list", "retrieve"})

    @extend_schema(
        operation_id="list_reviews",
        parameters=[shapes.ReviewsQuery],
        responses={200: shapes.ReviewOut(many=True)},
    )
    def list(self, request: Request, project_id: UUID) -> HttpResponse:
        """A project's assignments. Filter by an answer's value with `answer.<key>=<value>`."""
        project = access_project(request.user, project_id)
        wanted, order = _read_filter(request)
        rows = selectors.with_aliases(selectors.matching(project, wanted)).select_related("task", "project")
        return page(request, rows, shapes.review, order=("id",) if order == "oldest" else ("-id",))

    @extend_schema(operation_id="get_review", responses={200: shapes.ReviewWholeOut})
    def retrieve(self, request: Request, assignment_id: UUID) -> HttpResponse:
        """One assignment with all that helps to decide about it."""
        selectors.access_review(request.user, assignment_id)
        return self._whole(assignment_id)

    @extend_schema(
        operation_id="accept_assignment",
        request=shapes.AcceptIn,
        responses={200: shapes.ReviewWholeOut, **raises(errors.NotSubmitted)},
    )
    def accept(self, request: Request, assignment_id: UUID) -> HttpResponse:
        """Accept and pay; also overturns a rejection that is not final yet."""
        data = shapes.AcceptIn.read(request.data)
        services.accept_assignment(assignment_id=assignment_id, reviewer=request.user, comment=data["comment"])
        return self._whole(assignment_id)

    @extend_schema(
        operation_id="reject_assignment",
        request=shapes.RejectIn,
        responses={200: shapes.ReviewWholeOut, **raises(errors.NotSubmitted, errors.RejectionsHalted)},
    )
    def reject(self, request: Request, assignment_id: UUID) -> HttpResponse:
        """Refuse to pay, with a category and a reason the worker reads."""
        data = shapes.RejectIn.read(request.data)
        services.reject_assignment(assignment_id=assignment_id, reviewer=request.user, **data)
        return self._whole(assignment_id)

    @extend_schema(
        operation_id="send_back_assignment",
        request=shapes.SendBackIn,
        responses={200: shapes.ReviewWholeOut, **raises(errors.NotSubmitted, errors.SentBackTooOften)},
    )
    def send_back(self, request: Request, assignment_id: UUID) -> HttpResponse:
        """Ask the worker to do it again, up to three times."""
        data = shapes.SendBackIn.read(request.data)
        services.send_back(assignment_id=assignment_id, reviewer=request.user, **data)
        return self._whole(assignment_id)

    @extend_schema(
        operation_id="pay_bonus",
        request=shapes.PayIn,
        responses={201: shapes.PaidOut, **raises(errors.NotSubmitted, errors.AccountClosed, InsufficientFunds)},
    )
    def bonus(self, request: Request, assignment_id: UUID) -> HttpResponse:
        """Pay the worker on top of the reward, from the purse."""
        return self._pay(request, assignment_id, services.pay_bonus)

    @extend_schema(
        operation_id="pay_part",
        request=shapes.PayIn,
        responses={
            201: shapes.PaidOut,
            **raises(errors.NotSubmitted, errors.AlreadyPaid, errors.AccountClosed, InsufficientFunds),
        },
    )
    def pay_partial(self, request: Request, assignment_id: UUID) -> HttpResponse:
        """Pay a part of the reward for work that was returned, expired or rejected; once."""
        return self._pay(request, assignment_id, services.pay_part)

    @extend_schema(
        operation_id="accept_assignments",
        request=shapes.AcceptManyIn,
        responses={200: shapes.AcceptedManyOut, **raises(errors.NotWhatWasSeen)},
    )
    def accept_many(self, request: Request, project_id: UUID) -> HttpResponse:
        """Accept and pay many answers: those named, or all submitted ones that match a filter."""
        data = shapes.AcceptManyIn.read(request.data)
        done = services.accept_many(
            project_id=project_id,
            reviewer=request.user,
            ids=data.get("ids"),
            wanted=data.get("filter"),
            expect=data.get("expect"),
        )
        return answer({"accepted": len(done.ids), "skipped": done.skipped, "paid": money(done.paid, done.currency)})

    @extend_schema(
        operation_id="reject_assignments",
        request=shapes.RejectManyIn,
        responses={200: shapes.ChangedManyOut, **raises(errors.RejectionsHalted)},
    )
    def reject_many(self, request: Request, project_id: UUID) -> HttpResponse:
        """Reject many answers for one reason."""
        data = shapes.RejectManyIn.read(request.data)
        done = services.reject_many(project_id=project_id, reviewer=request.user, **data)
        return _changed(data["ids"], done)

    @extend_schema(
        operation_id="send_back_assignments",
        request=shapes.SendBackManyIn,
        responses={200: shapes.ChangedManyOut, **raises(errors.SentBackTooOften)},
    )
    def send_back_many(self, request: Request, project_id: UUID) -> HttpResponse:
        """Send many answers back with one comment, all or none."""
        data = shapes.SendBackManyIn.read(request.data)
        done = services.send_back_many(project_id=project_id, reviewer=request.user, **data)
        return _changed(data["ids"], done)

    def _whole(self, assignment_id: UUID) -> HttpResponse:
        rows = selectors.with_aliases(Assignment.objects.select_related("task", "project"))
        assignment = rows.get(id=assignment_id)
        paid = selectors.paid_beyond(assignment)
        return answer(
            {
                **shapes.review(assignment),
                "version": assignment.version_id,
                "bonus": money(paid, assignment.project.currency) if paid else None,
                "others": selectors.others_on_task(assignment),
                "worker_stats": selectors.worker_in_project(assignment),
                "moves": moves_of(assignment, list(Move.objects.filter(assignment=assignment).order_by("id"))),
            }
        )

    def _pay(self, request: Request, assignment_id: UUID, service: Any) -> HttpResponse:
        data = shapes.PayIn.read(request.data)
        currency = selectors.access_review(request.user, assignment_id).project.currency
        amount, _ = parse_money(dict(data["amount"]), field="amount", currency=currency)
        paid = service(assignment_id=assignment_id, reviewer=request.user, amount=amount, reason=data["reason"])
        return answer({"transfer": paid.id, "amount": money(amount, currency)}, status=201)


def _read_filter(request: Request) -> tuple[dict[str, Any], str]:
    """The filter and the order in a query. `answer.<key>` compares with the value as text and as JSON."""
    params = request.query_params
    answers = {key[7:]: value for key, value in params.items() if key.startswith("answer.")}
    plain: dict[str, Any] = {key: value for key, value in params.items() if not key.startswith("answer.")}
    if states := params.getlist("state"):
        plain["state"] = states
    query = shapes.ReviewsQuery.read(plain)
    order = query.pop("order")
    return {**query, "answer": answers}, order


def _changed(wanted: list[UUID], done: list[UUID]) -> HttpResponse:
    return answer({"changed": len(done), "skipped": sorted(set(wanted) - set(done))})
