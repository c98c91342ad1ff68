"""Collectives over HTTP."""

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from api.collectives import selectors, services
from api.collectives.permissions import COLLECTIVES
from api.collectives.serializers import (
    CollectiveIn,
    CollectiveOut,
    MemberOut,
    collective_out,
    member_out,
)
from api.core.errors import NotFound
from api.core.http import answer
from api.core.pages import PARAMETERS, page
from api.core.views import ApiViewSet


class CollectiveViewSet(ApiViewSet):
    permission_table = COLLECTIVES

    @extend_schema(operation_id="list_collectives", parameters=PARAMETERS, responses={200: CollectiveOut(many=True)})
    def list(self, request: Request) -> HttpResponse:
        """The collectives you belong to, newest first."""
        rows = selectors.with_role(request.user)
        return page(request, rows, lambda each: collective_out(each, each.role))

    @extend_schema(operation_id="get_collective", responses={200: CollectiveOut})
    def retrieve(self, request: Request, collective_id: UUID) -> HttpResponse:
        """One of your collectives."""
        collective = selectors.with_role(request.user).filter(id=collective_id).first()
        if collective is None:
            raise NotFound
        return answer(collective_out(collective, collective.role))

    @extend_schema(operation_id="rename_collective", request=CollectiveIn, responses={200: CollectiveOut})
    def partial_update(self, request: Request, collective_id: UUID) -> HttpResponse:
        """Give a collective another name."""
        fields = CollectiveIn.read(request.data)
        services.rename_collective(collective_id=collective_id, by=request.user, name=fields["name"])
        return self.retrieve(request, collective_id)

    @extend_schema(operation_id="list_members", parameters=PARAMETERS, responses={200: MemberOut(many=True)})
    def members(self, request: Request, collective_id: UUID) -> HttpResponse:
        """Who belongs to one of your collectives, newest first."""
        selectors.access_collective(request.user, collective_id)
        return page(request, selectors.current_members(collective_id), member_out)
