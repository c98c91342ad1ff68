"""Applications that users register, and the operator's own."""

import re
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken, set_token_value

from api.accounts.errors import TooManyApplications
from api.accounts.models import Application, User
from api.core.errors import FieldError, Invalid, NotFound

MOST = 50
LONGEST_URI = 500
FIRST_PARTY = "guildhall-web"
SCRIPTS = "guildhall-scripts"
MOBILE_URI = "org.guildhall.app://signed-in"
_LOOPBACK_HOSTS = {"127.0.0.1", "::1", "localhost"}
_VISIBLE = re.compile(r"[\x21-\x7e]+\Z")
# RFC 8252, section 7.1: a private-use scheme is a domain name its owner controls, read backwards.
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+\Z")


@transaction.atomic
def create_application(*, owner: User, fields: dict[str, Any]) -> tuple[Application, str]:
    """Register an application; answer it with its secret, which is stored hashed and shown only now.

    A public application has no secret (""). Raises Invalid, or TooManyApplications.
    """
    User.objects.select_for_update().get(pk=owner.pk)
    if Application.objects.filter(user=owner).count() >= MOST:
        raise TooManyApplications
    application = Application(user=owner)
    _set(application, fields)
    secret = ""
    if application.client_type == Application.CLIENT_CONFIDENTIAL:
        secret = secrets.token_urlsafe(48)
    application.client_secret = secret
    application.save()
    return application, secret


@transaction.atomic
def update_application(*, owner: User, application_id: UUID, fields: dict[str, Any]) -> Application:
    """Change an application of `owner`. Tokens it has keep the scopes they were given, until they are refreshed.

    Raises NotFound, or Invalid.
    """
    mine = Application.objects.select_for_update(of=("self",)).filter(user=owner, pk=application_id)
    application: Application | None = mine.first()
    if application is None:
        raise NotFound
    if fields.get("client_type", application.client_type) != application.client_type:
        raise Invalid(errors=[FieldError("client_type", "The type of an application cannot change.")])
    _set(application, fields)
    application.save()
    return application


@transaction.atomic
def delete_application(*, owner: User, application_id: UUID) -> None:
    """Delete an application with every token it has. Raises NotFound."""
    deleted, _ = Application.objects.filter(user=owner, pk=application_id).delete()
    if not deleted:
        raise NotFound


def _set(application: Application, fields: dict[str, Any]) -> None:
    """Put `fields`, in the API's form, into an application; raise Invalid with all that is wrong."""
    kinds = fields.get("grant_types") or (application.grant_types if application.authorization_grant_type else [])
    kinds = kinds or ["authorization_code"]
    uris: list[str] = fields.get("redirect_uris", application.redirect_uris.split())
    errors = []
    application.name = fields.get("name", application.name)
    application.client_type = fields.get("client_type", application.client_type)
    application.scopes = fields.get("scopes", application.scopes)
    application.redirect_uris = " ".join(uris)
    by_code = "authorization_code" in kinds
    application.authorization_grant_type = (
        Application.GRANT_AUTHORIZATION_CODE if by_code else Application.GRANT_CLIENT_CREDENTIALS
    )
    application.also_client_credentials = by_code and "client_credentials" in kinds
    if by_code and not uris:
        errors.append(FieldError("redirect_uris", "Give the address that users return to.", "required"))
    if "client_credentials" in kinds:
        if application.client_type == Application.CLIENT_PUBLIC:
            detail = "A public application cannot keep a secret, so it cannot use client credentials."
            errors.append(FieldError("grant_types", detail))
        if not application.scopes:
            detail = "Name the scopes this application may use by itself; it acts as you."
            errors.append(FieldError("scopes", detail, "required"))
    for index, uri in enumerate(uris):
        if problem := redirect_uri_problem(uri):
            errors.append(FieldError(f"redirect_uris.{index}", problem))
    if errors:
        raise Invalid(errors=errors)


def redirect_uri_problem(uri: str) -> str | None:
    """Why an address cannot be registered, or None when it can."""
    if len(uri) > LONGEST_URI or not _VISIBLE.match(uri):
        return f"An address has at most {LONGEST_URI} visible ASCII characters and no space."
    scheme, _, rest = uri.partition(":")
    if not rest:
        return "This is not an address."
    if scheme not in {"http", "https"}:
        if _PRIVATE_SCHEME.match(scheme):
            return None if "#" not in uri else "An address has no fragment (#…)."
        return "Use https://, http:// on this machine, or a scheme such as org.example.app:."
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return "This is not an address."
    host = parts.hostname or ""
    if not host or parts.netloc != parts.netloc.lower() or parts.netloc.endswith(":") or port == 0:
        return "Write the host in lower case, with a port only if it has one."
    if "#" in uri or "@" in parts.netloc or "*" in parts.netloc or "\\" in uri:
        return "An address has no fragment, no user name and no wildcard."
    if scheme == "http" and host not in _LOOPBACK_HOSTS:
        return "http:// is for 127.0.0.1, [::1] and localhost; everything else needs https://."
    return None


def first_party_uris() -> list[str]:
    """Where the operator's own client may be signed in: each of its origins, and the mobile application."""
    origins = [settings.PUBLIC_URL, *settings.CORS_ALLOWED_ORIGINS]
    if settings.LOCAL:
        origins += [f"http://{host}:{settings.PORT}" for host in ("127.0.0.1", "localhost")]
    return [*dict.fromkeys(f"{origin}/signed-in" for origin in origins), MOBILE_URI]


@transaction.atomic
def create_first_party() -> list[Application]:
    """Make the operator's own applications, or bring their addresses up to date. Safe to run at every start."""
    common = {
        "client_type": Application.CLIENT_PUBLIC,
        "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
        "client_secret": "",
        "skip_authorization": True,
        "user": None,
    }
    web = {**common, "name": "Guildhall", "redirect_uris": " ".join(first_party_uris())}
    scripts = {**common, "name": "Scripts", "redirect_uris": ""}
    return [
        Application.objects.update_or_create(client_id=client_id, defaults=defaults)[0]
        for client_id, defaults in ((FIRST_PARTY, web), (SCRIPTS, scripts))
    ]


@transaction.atomic
def create_token(*, user: User, scopes: Iterable[str], lasts: timedelta) -> str:
    """A bearer token with which a script acts as `user`. It is not refreshed; it is shown only now.

    Raises Invalid for a scope that does not exist.
    """
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in settings.SCOPES]:
        raise Invalid(f"There is no scope {unknown[0]}. There are: {', '.join(settings.SCOPES)}.")
    application = Application.objects.filter(client_id=SCRIPTS).first() or create_first_party()[1]
    text = secrets.token_urlsafe(32)
    token = AccessToken(user=user, application=application, scope=" ".join(wanted), expires=timezone.now() + lasts)
    set_token_value(token, text)
    token.save()
    return text
