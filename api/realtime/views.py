"""The notifications of the caller."""

from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request

from api.core.http import answer
from api.core.pages import page
from api.core.views import ApiViewSet
from api.realtime import permissions, selectors, services
from api.realtime.serializers import NotificationOut, NotificationsQuery, ReadIn, UnreadOut, notification_body

_MARKS = [
    OpenApiExample("all that is shown", {"up_to": 4711}, request_only=True),
    OpenApiExample("what is about one thing", {"subject": "0198c1f2-7d3a-7c4e-9b1a-2f6d8e0ad0ee"}, request_only=True),
]


class NotificationViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.NOTIFICATIONS
    replica_reads: ClassVar = frozenset({"list", "unread"})

    @extend_schema(
        operation_id="list_notifications",
        parameters=[NotificationsQuery],
        responses={200: NotificationOut(many=True)},
    )
    def list(self, request: Request) -> HttpResponse:
        """What I was told, newest first."""
        query = NotificationsQuery.read(request.query_params)
        rows = selectors.visible_notifications(request.user)
        if query["unread"]:
            rows = rows.filter(read_at=None)
        return page(request, rows, notification_body)

    @extend_schema(operation_id="count_unread_notifications", responses={200: UnreadOut})
    def unread(self, request: Request) -> HttpResponse:
        """How much of it I have not read."""
        return answer({"count": selectors.unread_count(request.user)})

    @extend_schema(operation_id="read_notifications", request=ReadIn, responses={200: UnreadOut}, examples=_MARKS)
    def read(self, request: Request) -> HttpResponse:
        """I have read these; answers what is left."""
        services.mark_read(user=request.user, **ReadIn.read(request.data))
        return answer({"count": selectors.unread_count(request.user)})
