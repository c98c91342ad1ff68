"""Collectives as the API reads and shows them."""

from typing import Any

from rest_framework import serializers

from api.collectives.models import Collective, Membership
from api.core.serializers import In, LineField, Out


class CollectiveIn(In):
    name = LineField(max_length=80)


class CollectiveOut(Out):
    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(Collective.Kind.choices)
    role = serializers.ChoiceField(Membership.Role.choices, help_text="Yours in it.")
    created_at = serializers.DateTimeField()


class MemberOut(Out):
    id = serializers.UUIDField(help_text="The user's.")
    name = serializers.CharField()
    role = serializers.ChoiceField(Membership.Role.choices)
    since = serializers.DateTimeField()


def collective_out(collective: Collective, role: str) -> dict[str, Any]:
    return {
        "id": collective.id,
        "name": collective.name,
        "kind": collective.kind,
        "role": role,
        "created_at": collective.created_at,
    }


def member_out(member: Membership) -> dict[str, Any]:
    return {
        "id": member.user_id,
        "name": member.user.shown_name,
        "role": member.role,
        "since": member.since,
    }
