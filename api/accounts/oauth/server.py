"""The token endpoint's server: three grants, and a validator whose every step stands on a locked row."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken, set_token_value
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request, generate_token
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    BearerToken,
    ClientCredentialsGrant,
    RefreshTokenGrant,
    RevocationEndpoint,
    TokenEndpoint,
)

from api.accounts.models import Application, Authorisation
from api.accounts.services import authorisations


class Validator(OAuth2Validator):
    """django-oauth-toolkit's validator with its traps closed.

    Clients authenticate in one way, as what they are; codes and refresh tokens are taken once, under a lock; a
    refresh may narrow the scope of its access token, never that of the authorisation.
    """

    def _extract_basic_auth(self, request: Request) -> str | None:
        scheme, _, credentials = request.headers.get("HTTP_AUTHORIZATION", "").partition(" ")
        return credentials.strip() or None if scheme.lower() == "basic" else None

    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        if self._extract_basic_auth(request):
            known = self._authenticate_basic_auth(request)
        else:
            known = self._authenticate_request_body(request)
        return bool(known and request.client.client_type == Application.CLIENT_CONFIDENTIAL)

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Application, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        if grant_type == "client_credentials":
            owner = request.client.user
            return request.client.allows_grant_type(grant_type) and bool(owner and owner.is_active)
        return request.client.allows_grant_type("authorization_code")

    def get_default_scopes(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        return [scope for scope in request.client.scopes if scope in settings.SCOPES]

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Application, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """For client credentials: only what the application registered, which is nothing unless it says so."""
        return bool(scopes) and set(scopes) <= set(request.client.scopes) & set(settings.SCOPES)

    def validate_code(
        self, client_id: str, code: str, client: Application, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        taken = authorisations.take_code(code=code, application_id=request.client.pk, redirect_uri=request.redirect_uri)
        if taken is None:
            return False
        self._act_for(request, taken, None)
        return True

    def get_code_challenge(self, code: str, request: Request) -> str:
        return request.authorisation.code_challenge

    def get_code_challenge_method(self, code: str, request: Request) -> str:
        return "S256"

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Application, *args: Any, **kwargs: Any
    ) -> bool:
        """`validate_code` compared it already, with the row locked."""
        return True

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """`save_bearer_token` marked it as exchanged, in the same transaction."""

    def validate_refresh_token(
        self, refresh_token: str, client: Application, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        taken = authorisations.take_refresh_token(token=refresh_token, application_id=request.client.pk)
        if taken is None:
            return False
        self._act_for(request, *taken)
        return True

    def get_original_scopes(self, refresh_token: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        return request.scopes

    def revoke_token(self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any) -> None:
        authorisations.revoke_token(token=token, application_id=request.client.pk)

    def _act_for(self, request: Request, authorisation: Authorisation, used: RefreshToken | None) -> None:
        most = request.client.scopes or settings.SCOPES
        request.authorisation = authorisation
        request.used_refresh_token = used
        request.user = authorisation.user
        request.scopes = [scope for scope in authorisation.scopes if scope in most]

    def _save_bearer_token(self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any) -> None:
        now = timezone.now()
        access = AccessToken(
            user=None if request.grant_type == "client_credentials" else request.user,
            application=request.client,
            scope=token["scope"],
            expires=now + timedelta(seconds=token["expires_in"]),
        )
        set_token_value(access, token["access_token"])
        access.save()
        if request.grant_type == "client_credentials":
            return
        authorisation: Authorisation = request.authorisation
        used: RefreshToken | None = request.used_refresh_token
        if used is not None:
            AccessToken.objects.filter(pk=used.access_token_id).delete()
            RefreshToken.objects.filter(pk=used.pk).update(revoked=now, updated=now)
        authorisation.exchanged_at = authorisation.exchanged_at or now
        authorisation.last_used_at = now
        authorisation.save(update_fields=["exchanged_at", "last_used_at"])
        refresh = RefreshToken(
            user=request.user,
            application=request.client,
            access_token=access,
            token_family=authorisation.pk,
        )
        set_token_value(refresh, token["refresh_token"])
        refresh.save()


class Server(TokenEndpoint, RevocationEndpoint):
    """Exchanges codes, refresh tokens and client credentials; revokes. It has no other grant to switch off."""

    def __init__(self, validator: Validator) -> None:
        code = AuthorizationCodeGrant(validator)
        bearer = BearerToken(
            validator,
            token_generator=lambda request: generate_token(40),
            expires_in=int(settings.ACCESS_TOKEN_LASTS.total_seconds()),
        )
        TokenEndpoint.__init__(
            self,
            default_grant_type="authorization_code",
            default_token_type=bearer,
            grant_types={
                "authorization_code": code,
                "refresh_token": RefreshTokenGrant(validator),
                "client_credentials": ClientCredentialsGrant(validator),
            },
        )
        RevocationEndpoint.__init__(self, validator)
