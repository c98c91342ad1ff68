"""Reads of a user's own things."""

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypedDict
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from api.accounts.models import Application, Authorisation, User


class SecondFactors(TypedDict):
    totp: bool
    passkeys: int
    recovery_codes_left: int


def visible_sessions(user: User) -> QuerySet[UserSession]:
    """The user's browser sessions that still hold."""
    open_session = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=timezone.now())
    found: QuerySet[UserSession] = UserSession.objects.filter(Exists(open_session), user_id=user.pk)
    return found


def session_of(token_checksum: str) -> int | None:
    """The id of the session in which the token with this checksum was asked for, if that is known."""
    families = RefreshToken.objects.filter(access_token__token_checksum=token_checksum)
    return (
        Authorisation.objects.filter(pk__in=families.values("token_family"))
        .values_list("session_id", flat=True)
        .first()
    )


class LiveToken(NamedTuple):
    """What a token that holds now allows."""

    user_id: UUID
    expires: datetime
    scopes: frozenset[str]


def live_tokens(checksums: Collection[str]) -> dict[str, LiveToken]:
    """Those of the tokens, by their checksums, that hold now: not expired, not revoked, and of an active user.

    By the same rules as `authentication`, for many at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.token_checksum, u.id, t.expires, t.scope FROM oauth2_provider_accesstoken t"
            " JOIN accounts_application a ON a.id = t.application_id"
            " JOIN accounts_user u ON u.id = COALESCE(t.user_id, a.user_id)"
            " WHERE t.token_checksum = ANY(%s) AND t.expires > now() AND u.is_active",
            [list(checksums)],
        )
        return {row[0]: LiveToken(row[1], row[2], _scopes(row[3])) for row in cursor.fetchall()}


@lru_cache(maxsize=1000)
def _scopes(text: str) -> frozenset[str]:
    """One set for all tokens that have the same scopes: a gateway holds very many."""
    return frozenset(text.split())


class AuthorisedApplication(TypedDict):
    """An application that a user lets in: what it may do, since when, and when it last got a token."""

    id: UUID
    name: str
    first_party: bool
    scopes: list[str]
    authorised_at: datetime
    last_used_at: datetime


def authorised_applications(user: User) -> list[AuthorisedApplication]:
    """The applications the user lets in now, newest first: by an authorisation, or by a token made for a script."""
    now = timezone.now()
    unused_since = now - settings.REFRESH_TOKEN_LASTS
    grants = list(
        Authorisation.objects.filter(user=user, ended_at=None, last_used_at__gt=unused_since)
        .select_related("application")
        .only("scopes", "exchanged_at", "last_used_at", "application")
    )
    rows: list[tuple[Application, list[str], datetime, datetime]] = [
        (grant.application, grant.scopes, grant.exchanged_at or now, grant.last_used_at or now) for grant in grants
    ]
    tokens = AccessToken.objects.filter(user_id=user.pk, expires__gt=now).select_related("application")
    rows += [(token.application, token.scope.split(), token.created, token.created) for token in tokens]
    found: dict[UUID, AuthorisedApplication] = {}
    for application, scopes, since, used in rows:
        seen = found.setdefault(
            application.pk,
            {
                "id": application.pk,
                "name": str(application),
                "first_party": application.first_party,
                "scopes": [],
                "authorised_at": since,
                "last_used_at": used,
            },
        )
        seen["scopes"] = sorted({*seen["scopes"], *scopes})
        seen["authorised_at"] = min(seen["authorised_at"], since)
        seen["last_used_at"] = max(seen["last_used_at"], used)
    return sorted(found.values(), key=lambda each: each["authorised_at"], reverse=True)


def visible_applications(user: User) -> QuerySet[Application]:
    """The applications the user registered."""
    found: QuerySet[Application] = Application.objects.filter(user=user)
    return found


def second_factors_of(user: User) -> SecondFactors:
    """What the user signs in with beside the password."""
    found: SecondFactors = {"totp": False, "passkeys": 0, "recovery_codes_left": 0}
    for authenticator in Authenticator.objects.filter(user_id=user.pk):
        if authenticator.type == Authenticator.Type.TOTP:
            found["totp"] = True
        elif authenticator.type == Authenticator.Type.WEBAUTHN:
            found["passkeys"] += 1
        else:
            found["recovery_codes_left"] = len(authenticator.wrap().get_unused_codes())
    return found


def has_verified_email(user: User) -> bool:
    return bool(EmailAddress.objects.filter(user_id=user.pk, email=user.email, verified=True).exists())
