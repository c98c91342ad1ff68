"""The shapes of notifications."""

from typing import Any

from rest_framework import serializers

from api.core.money import money
from api.core.serializers import In, MoneyOut, ObjectField, Out
from api.realtime.models import Notification

_HIGHEST_ID = 2**63 - 1


class NotificationOut(Out):
    id = serializers.IntegerField(help_text="Rises with what is new: one that is added to gets a new id.")
    kind = serializers.CharField(help_text="What has happened, such as assignment.sent_back.")
    subject = serializers.UUIDField(help_text="What it is about: a project, an assignment, a deposit or a payout.")
    count = serializers.IntegerField(help_text="How often it has happened since it was last read.")
    amount = MoneyOut(allow_null=True, help_text="The money it is about, in sum.")
    data = ObjectField(help_text="What the words need: the title of the project, a reason, a deadline.")
    at = serializers.DateTimeField(help_text="When it has last happened.")
    read_at = serializers.DateTimeField(allow_null=True)


class UnreadOut(Out):
    count = serializers.IntegerField(help_text="1000 means that many or more.")


class NotificationsQuery(In):
    unread = serializers.BooleanField(default=False, help_text="Only what is unread.")
    limit = serializers.CharField(required=False)
    cursor = serializers.CharField(required=False)


class ReadIn(In):
    """One of the three."""

    up_to = serializers.IntegerField(
        required=False, min_value=0, max_value=_HIGHEST_ID, help_text="All up to this id, which is also that of one."
    )
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=_HIGHEST_ID), required=False, max_length=200
    )
    subject = serializers.UUIDField(required=False, help_text="All about this thing.")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if len(given) != 1:
            raise serializers.ValidationError("Send one of up_to, ids and subject.")
        return given


def notification_body(row: Notification) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "subject": row.subject_id,
        "count": row.count,
        "amount": None if row.amount is None else money(row.amount, row.currency),
        "data": row.data,
        "at": row.at,
        "read_at": row.read_at,
    }
