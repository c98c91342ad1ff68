"""The shapes of accounts."""

import re
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from rest_framework import serializers

from api.accounts.models import Application, User
from api.core.serializers import In, LineField, Out

USES = ("work", "request")
GRANT_TYPES = ("authorization_code", "client_credentials")
_LOCALE = re.compile(r"\A[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")


class SecondFactorsOut(Out):
    totp = serializers.BooleanField()
    passkeys = serializers.IntegerField()
    recovery_codes_left = serializers.IntegerField()


class MeOut(Out):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField(help_text="What others see; empty means a neutral name.")
    locale = serializers.CharField()
    timezone = serializers.CharField()
    theme = serializers.ChoiceField(User.Theme.choices)
    uses = serializers.ListField(child=serializers.ChoiceField(USES))
    email_verified = serializers.BooleanField()
    is_operator = serializers.BooleanField()
    mfa = SecondFactorsOut()
    joined_at = serializers.DateTimeField()
    solo_collective = serializers.UUIDField()


class MeIn(In):
    name = LineField(max_length=80, allow_blank=True, required=False)
    locale = serializers.RegexField(_LOCALE, max_length=16, required=False)
    timezone = serializers.CharField(max_length=64, required=False)
    theme = serializers.ChoiceField(User.Theme.choices, required=False)
    uses = serializers.ListField(child=serializers.ChoiceField(USES), max_length=2, required=False)

    def validate_timezone(self, value: str) -> str:
        if value not in available_timezones():
            raise serializers.ValidationError("This is not a time zone, such as Europe/Berlin.")
        return value

    def validate_uses(self, value: list[str]) -> list[str]:
        return [use for use in USES if use in value]


class CloseIn(In):
    confirm = serializers.CharField(max_length=254, help_text="Your own e-mail address.")
    forfeit = serializers.BooleanField(
        default=False, help_text="Give up what is in your purse and what waits for review."
    )


class SessionOut(Out):
    id = serializers.IntegerField()
    ip = serializers.CharField()
    user_agent = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    current = serializers.BooleanField(help_text="Whether this token was got in that session.")


class AuthorisedApplicationOut(Out):
    id = serializers.UUIDField()
    name = serializers.CharField()
    first_party = serializers.BooleanField()
    scopes = serializers.ListField(child=serializers.CharField())
    authorised_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(help_text="When it last got a token.")


class ApplicationOut(Out):
    id = serializers.UUIDField()
    name = serializers.CharField()
    client_id = serializers.CharField()
    client_type = serializers.ChoiceField(("public", "confidential"))
    grant_types = serializers.ListField(child=serializers.ChoiceField(GRANT_TYPES))
    redirect_uris = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()


class NewApplicationOut(ApplicationOut):
    client_secret = serializers.CharField(
        required=False, help_text="For confidential applications; shown only in this answer."
    )


class ApplicationIn(In):
    name = LineField(max_length=80)
    client_type = serializers.ChoiceField(("public", "confidential"))
    grant_types = serializers.ListField(
        child=serializers.ChoiceField(GRANT_TYPES), min_length=1, max_length=2, default=["authorization_code"]
    )
    redirect_uris = serializers.ListField(child=serializers.CharField(max_length=500), max_length=20, default=list)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(tuple(settings.SCOPES)),
        default=list,
        help_text="The most it may ask for. Empty: whatever a user agrees to, and nothing by itself.",
    )


def me_body(user: User, mfa: Any, email_verified: bool) -> dict[str, Any]:
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name,
        "locale": user.locale,
        "timezone": user.timezone,
        "theme": user.theme,
        "uses": user.uses,
        "email_verified": email_verified,
        "is_operator": user.is_staff,
        "mfa": mfa,
        "joined_at": user.joined_at,
        "solo_collective": user.pk,
    }


def application_body(application: Application) -> dict[str, Any]:
    return {
        "id": application.pk,
        "name": application.name,
        "client_id": application.client_id,
        "client_type": application.client_type,
        "grant_types": application.grant_types,
        "redirect_uris": application.redirect_uris.split(),
        "scopes": application.scopes,
        "created_at": application.created,
    }
