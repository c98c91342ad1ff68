"""Rows that tests of every domain start from. Call them inside a test that may use the database."""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from itertools import count
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from api.accounts.models import Application, User

ALL_SCOPES = tuple(settings.SCOPES)
_number = count(1)


def make_user(name: str = "someone", **fields: Any) -> User:
    """A user with an address of their own, no usable password, and (by the database) a solo collective."""
    address = f"{name.lower().replace(' ', '.')}.{next(_number)}.{secrets.token_hex(3)}@example.org"
    return User.objects.create(**{"email": address, "name": name, "password": "!", **fields})


def make_token(
    user: User,
    scopes: Iterable[str] = ALL_SCOPES,
    *,
    lasts: timedelta = timedelta(hours=1),
    client_id: str = "tests",
    first_party: bool = True,
) -> str:
    """A bearer token of `user` for the tests' own application, or for another of the given kind."""
    application, _ = Application.objects.get_or_create(
        client_id=client_id,
        defaults={
            "name": client_id.capitalize(),
            "client_type": Application.CLIENT_PUBLIC,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "redirect_uris": "http://localhost/",
            "skip_authorization": first_party,
        },
    )
    token = secrets.token_urlsafe(24)
    AccessToken.objects.create(
        user=user,
        application=application,
        token=token,
        scope=" ".join(scopes),
        expires=timezone.now() + lasts,
    )
    return token


class ApiClient(Client):
    """Django's test client that sends JSON unless told otherwise. Paths are whole: `/api/v1/me`."""

    def post(self, path: str, data: Any = None, content_type: str = "application/json", **extra: Any) -> Any:
        return super().post(path, {} if data is None else data, content_type, **extra)

    def put(self, path: str, data: Any = None, content_type: str = "application/json", **extra: Any) -> Any:
        return super().put(path, {} if data is None else data, content_type, **extra)

    def patch(self, path: str, data: Any = None, content_type: str = "application/json", **extra: Any) -> Any:
        return super().patch(path, {} if data is None else data, content_type, **extra)

    def delete(self, path: str, data: Any = None, content_type: str = "application/json", **extra: Any) -> Any:
        return super().delete(path, {} if data is None else data, content_type, **extra)


def make_api(user: User | None = None, scopes: Iterable[str] = ALL_SCOPES, **application: Any) -> ApiClient:
    """A client that calls the API as `user`, or as nobody. `put`, `patch` and `delete` send JSON, too.

    Send a key with `headers={"Idempotency-Key": "…"}`.
    """
    if user is None:
        return ApiClient()
    return ApiClient(headers={"Authorization": f"Bearer {make_token(user, scopes, **application)}"})
