"""Bearer tokens: one indexed read for each request."""

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from django.db import connection
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from api.accounts.models import User


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: its application and scopes."""

    application_id: UUID
    scopes: frozenset[str]


class InvalidToken(AuthenticationFailed):
    default_detail = "This token is not known, has expired or was revoked. Sign in again."
    problem_code = "invalid_token"
    auth_header = 'Bearer error="invalid_token"'


_FIELDS = [field.attname for field in User._meta.concrete_fields]
_SQL = (
    "SELECT t.application_id, t.scope, t.expires, "
    + ", ".join(f'u."{field.column}"' for field in User._meta.concrete_fields)
    + " FROM oauth2_provider_accesstoken t JOIN accounts_user u ON u.id = t.user_id WHERE t.token_checksum = %s"
)


class BearerAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer …` and nothing else: no query, no body, no cookie, no id_token."""

    def authenticate(self, request: Request) -> tuple[User, Grant] | None:
        header: str = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        with connection.cursor() as cursor:
            cursor.execute(_SQL, [sha256(token.strip().encode()).hexdigest()])
            row = cursor.fetchone()
        if row is None or row[2] <= timezone.now():
            raise InvalidToken
        user = User.from_db("default", _FIELDS, row[3:])
        if not user.is_active:
            raise InvalidToken
        return user, Grant(row[0], frozenset(row[1].split()))

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


