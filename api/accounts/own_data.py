"""What accounts itself holds about a user, for their export."""

from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from api.accounts import exports, selectors
from api.accounts.models import User


def account(user: User) -> Iterator[dict[str, Any]]:
    fields = ("id", "email", "name", "locale", "timezone", "theme", "uses", "joined_at", "last_login")
    yield {field: getattr(user, field) for field in fields}


def email_addresses(user: User) -> Iterator[dict[str, Any]]:
    yield from EmailAddress.objects.filter(user_id=user.pk).values("email", "verified", "primary").iterator()


def sessions(user: User) -> Iterator[dict[str, Any]]:
    fields = ("ip", "user_agent", "created_at", "last_seen_at")
    yield from selectors.visible_sessions(user).values(*fields).iterator()


def second_factors(user: User) -> Iterator[dict[str, Any]]:
    yield from Authenticator.objects.filter(user_id=user.pk).values("type", "created_at", "last_used_at").iterator()


def authorised_applications(user: User) -> Iterator[Any]:
    yield from selectors.authorised_applications(user)


def applications(user: User) -> Iterator[dict[str, Any]]:
    fields = ("id", "name", "client_id", "client_type", "redirect_uris", "scopes", "created")
    yield from selectors.visible_applications(user).values(*fields).iterator()


def register() -> None:
    for part in (account, email_addresses, sessions, second_factors, authorised_applications, applications):
        exports.register(part.__name__, part)
