"""Purses, and money on its way in and out."""

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from api.core import csvtext
from api.core.http import answer
from api.core.money import money
from api.core.pages import page
from api.core.schema import raises
from api.core.views import ApiViewSet
from api.ledger import errors, owners, permissions, selectors, services
from api.ledger.models import Deposit, Purse
from api.ledger.providers import all_providers, provider_of
from api.ledger.serializers import (
    DepositIn,
    DepositOut,
    EntryOut,
    PayoutIn,
    PayoutOut,
    ProviderOut,
    PurseOut,
    PursesQuery,
    StatementQuery,
    deposit_body,
    entry_body,
    payout_body,
    purse_body,
)

_STATEMENT = (
    f"{','.join(selectors.STATEMENT_HEADER)}\r\n"
    "41,2026-03-13T16:40:00+00:00,fund,Is there a duck in the photo?,-4860,95140,USD,project,"
    "0198c1f2-7d3a-7c4e-9b1a-2f6d8e0ad0ee\r\n"
)


class PurseViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.PURSES

    @extend_schema(operation_id="list_purses", parameters=[PursesQuery], responses={200: PurseOut(many=True)})
    def list(self, request: Request) -> HttpResponse:
        """My purses, and those of my collectives; a purse of mine in the house currency is always there."""
        query = PursesQuery.read(request.query_params)
        services.open_purses(user=request.user)
        rows = selectors.visible_purses(request.user)
        rows = rows.filter(kind__in=[query["kind"]] if "kind" in query else [Purse.Kind.PURSE, Purse.Kind.ESCROW])
        if "collective" in query:
            rows = rows.filter(owner_id=query["collective"])
        names = owners.names_of(list(owners.ids_of(request.user)))
        return page(request, rows, lambda purse: purse_body(purse, names))

    @extend_schema(operation_id="get_purse", responses={200: PurseOut})
    def retrieve(self, request: Request, purse_id: UUID) -> HttpResponse:
        """One purse and its balance."""
        purse = selectors.access_purse(request.user, purse_id)
        return answer(purse_body(purse, owners.names_of([purse.owner_id] if purse.owner_id else [])))

    @extend_schema(
        operation_id="get_statement",
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="The first instant, or a day."),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="The instant (or day) to stop before."),
            OpenApiParameter(
                "format", OpenApiTypes.STR, enum=["json", "csv"], description="csv: all of it, as a file."
            ),
            OpenApiParameter("limit", OpenApiTypes.INT),
            OpenApiParameter("cursor", OpenApiTypes.STR),
        ],
        responses={
            (200, "application/json"): EntryOut(many=True),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, examples=[OpenApiExample("table", _STATEMENT)]),
        },
    )
    def statement(self, request: Request, purse_id: UUID) -> HttpResponse | StreamingHttpResponse:
        """What moved in and out of a purse, newest first."""
        query = StatementQuery.read(request.query_params)
        purse = selectors.access_purse(request.user, purse_id)
        entries = selectors.statement(purse_id=purse.id, since=query.get("from"), until=query.get("to"))
        if query["format"] == "csv":
            rows = selectors.statement_rows(entries)
            return csvtext.response(f"statement-{purse.id}.csv", selectors.STATEMENT_HEADER, rows)
        return page(request, entries, entry_body, order=("-at", "-id"))


class DepositViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.DEPOSITS

    @extend_schema(operation_id="list_deposits", responses={200: DepositOut(many=True)})
    def list(self, request: Request, purse_id: UUID) -> HttpResponse:
        """The deposits into a purse."""
        purse = selectors.access_purse(request.user, purse_id)
        return page(request, selectors.visible_deposits(request.user).filter(purse=purse), _deposit)

    @extend_schema(
        operation_id="create_deposit", request=DepositIn, responses={201: DepositOut, **raises(errors.NotAPurse)}
    )
    def create(self, request: Request, purse_id: UUID) -> HttpResponse:
        """Say that money is on its way, and learn how to pay it. It is in the purse once it is confirmed."""
        given = DepositIn.read(request.data)
        amount = given.pop("amount")
        deposit = services.request_deposit(purse_id=purse_id, by=request.user, **amount, **given)
        return answer(_deposit(deposit), status=201)

    @extend_schema(
        operation_id="cancel_deposit", request=None, responses={200: DepositOut, **raises(errors.WrongState)}
    )
    def cancel(self, request: Request, deposit_id: UUID) -> HttpResponse:
        """The money will not come."""
        return answer(_deposit(services.cancel_deposit(deposit_id=deposit_id, by=request.user)))


class PayoutViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.PAYOUTS

    @extend_schema(operation_id="list_payouts", responses={200: PayoutOut(many=True)})
    def list(self, request: Request, purse_id: UUID) -> HttpResponse:
        """The payouts from a purse."""
        purse = selectors.access_purse(request.user, purse_id)
        return page(request, selectors.visible_payouts(request.user).filter(purse=purse), payout_body)

    @extend_schema(
        operation_id="create_payout",
        request=PayoutIn,
        responses={201: PayoutOut, **raises(errors.NotAPurse, errors.TooSmall, errors.InsufficientFunds)},
    )
    def create(self, request: Request, purse_id: UUID) -> HttpResponse:
        """Take money out. It leaves the purse at once, and comes back if it cannot be paid."""
        given = PayoutIn.read(request.data)
        amount, destination = given.pop("amount"), given.pop("destination")
        payout = services.request_payout(purse_id=purse_id, by=request.user, **amount, **destination, **given)
        return answer(payout_body(payout), status=201)

    @extend_schema(operation_id="cancel_payout", request=None, responses={200: PayoutOut, **raises(errors.WrongState)})
    def cancel(self, request: Request, payout_id: UUID) -> HttpResponse:
        """Put the money back, as long as nobody has begun to pay it out."""
        return answer(payout_body(services.cancel_payout(payout_id=payout_id, by=request.user)))


class ProviderViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.PROVIDERS

    @extend_schema(operation_id="list_providers", responses={200: ProviderOut(many=True)})
    def list(self, request: Request) -> HttpResponse:
        """How money comes in and goes out here; the first is the default."""
        return answer(
            [
                {
                    "name": provider.name,
                    "deposit_instructions": provider.introduction(),
                    "instant": provider.instant,
                    "methods": provider.methods,
                    "min_payout": money(provider.min_payout(settings.CURRENCY), settings.CURRENCY),
                }
                for provider in all_providers()
            ]
        )


def _deposit(deposit: Deposit) -> dict[str, Any]:
    waiting = deposit.state == Deposit.State.WAITING
    return deposit_body(deposit, provider_of(deposit.provider).deposit_instructions(deposit) if waiting else "")
