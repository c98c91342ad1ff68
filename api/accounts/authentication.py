"""Bearer tokens: one indexed read for each request."""

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from api.accounts.models import User
from api.core.postgres.prepared import Statement


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: its application, whether that is the operator's own, and its scopes."""

    application_id: UUID
    first_party: bool
    scopes: frozenset[str]
    token_checksum: str


class InvalidToken(AuthenticationFailed):
    default_detail = "This token is not known, has expired or was revoked. Sign in again."
    problem_code = "invalid_token"


_FIELDS = [field.attname for field in User._meta.concrete_fields]
# A token got by client credentials has no user: it acts as the application's owner, with the scopes that were
# registered for the application (`oauth.server.Validator` gives it no others).
_TOKEN = Statement(
    "accounts_token",
    ("text",),
    "SELECT t.application_id, a.skip_authorization, t.scope, t.expires, "  # noqa: S608
    + ", ".join(f'u."{field.column}"' for field in User._meta.concrete_fields)
    + " FROM oauth2_provider_accesstoken t"
    " JOIN accounts_application a ON a.id = t.application_id"
    " JOIN accounts_user u ON u.id = COALESCE(t.user_id, a.user_id)"
    " WHERE t.token_checksum = $1",
)


class BearerAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer …` and nothing else: no query, no body, no cookie, no id_token."""

    def authenticate(self, request: Request) -> tuple[User, Grant] | None:
        header: str = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        # Headers arrive as Latin-1, so any byte can be encoded back.
        checksum = sha256(token.strip().encode("latin-1", "replace")).hexdigest()
        row = _TOKEN.fetchone([checksum])
        if row is None or row[3] <= timezone.now():
            raise InvalidToken
        user = User.from_db("default", _FIELDS, row[4:])
        if not user.is_active:
            raise InvalidToken
        return user, Grant(row[0], row[1], frozenset(row[2].split()), checksum)

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401: with an error only when there was a token (RFC 6750, section 3.1)."""
        return 'Bearer error="invalid_token"' if "HTTP_AUTHORIZATION" in request.META else "Bearer"
