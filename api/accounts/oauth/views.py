"""The OAuth2 endpoints: authorise (a page), token, revoke, introspect, and the metadata that describes them."""

import re
from base64 import b64decode
from calendar import timegm
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View
from oauth2_provider.models import AccessToken, RefreshToken
from oauthlib.common import Request
from oauthlib.common import urlencode as urlencode_oauth

from api.accounts.models import Application
from api.accounts.oauth import parameters
from api.accounts.oauth.server import Server, Validator
from api.accounts.services import authorisations
from api.core import limits
from api.core.http import answer
from api.core.middleware import ContentSecurityPolicy

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")
_CONSENT_LASTS = 3600
_GRANTS = ("authorization_code", "refresh_token", "client_credentials")
_KNOWN = (
    "grant_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "scope",
    "token",
    "token_type_hint",
)
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Refused(Exception):
    """The request cannot be answered to the client, because it is not known to be the client's: shown to the user."""


class Returned(Exception):
    """The request is the client's and wrong: it is told by redirect."""

    def __init__(self, error: str, description: str) -> None:
        self.error, self.description = error, description
        super().__init__(error)


class AuthoriseView(View):
    """`/oauth/authorize` (RFC 6749, 7636, 9207): asks the user, and gives the client a code."""

    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().dispatch(request, *args, **kwargs)
        for name, value in _NO_STORE.items():
            response[name] = value
        response["Referrer-Policy"] = "no-referrer"
        return response

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            asked = parameters.read(request.META.get("QUERY_STRING", ""))
            application = _client_of(asked)
        except (parameters.Malformed, Refused) as error:
            return _refusal(request, str(error))
        try:
            scopes = _check(asked, application)
        except Returned as error:
            return _return(asked, error=error.error, error_description=error.description)
        if not request.user.is_authenticated:
            if "none" in asked.get("prompt", "").split():
                return _return(asked, error="login_required", error_description="The user is not signed in.")
            page = "/accounts/signup/" if "create" in asked.get("prompt", "").split() else None
            return redirect_to_login(request.get_full_path(), page)
        if application.first_party and _is_web(asked["redirect_uri"]):
            return self._allow(request, asked, application, scopes)
        if "none" in asked.get("prompt", "").split():
            return _return(asked, error="consent_required", error_description="The user must agree first.")
        return self._ask(request, asked, application, scopes)

    @method_decorator(sensitive_post_parameters())
    def post(self, request: HttpRequest) -> HttpResponse:
        """The user's answer. What was asked comes back signed, for this user, so nothing in it can be changed."""
        if not request.user.is_authenticated:
            return _refusal(request, "You have been signed out. Go back to the application and start again.")
        try:
            signed = request.POST.get("request", "")
            asked = signing.loads(signed, salt=_salt(request), max_age=_CONSENT_LASTS)
            application = _client_of(asked)
        except signing.BadSignature:
            return _refusal(request, "This form is too old or was changed. Go back and start again.")
        except Refused as error:
            return _refusal(request, str(error))
        try:
            scopes = _check(asked, application)
        except Returned as error:
            return _return(asked, error=error.error, error_description=error.description)
        if request.POST.get("answer") != "allow":
            return _return(asked, error="access_denied", error_description="The user said no.")
        return self._allow(request, asked, application, scopes)

    def _ask(
        self, request: HttpRequest, asked: dict[str, str], application: Application, scopes: list[str]
    ) -> HttpResponse:
        response = render(
            request,
            "oauth/authorize.html",
            {
                "application": application,
                "owner": application.user,
                "scopes": [settings.SCOPES[scope] for scope in scopes],
                "returns_to": _origin(asked["redirect_uri"]),
                "signed": signing.dumps(asked, salt=_salt(request), compress=True),
            },
        )
        # The answer to the form leads to the client, which `form-action` must name.
        policy = ContentSecurityPolicy.policy
        response["Content-Security-Policy"] = re.sub(
            r"form-action [^;]*", f"form-action 'self' {_origin(asked['redirect_uri'])}", policy
        )
        return response

    def _allow(
        self, request: HttpRequest, asked: dict[str, str], application: Application, scopes: list[str]
    ) -> HttpResponse:
        code = authorisations.authorise(
            user=request.user,  # type: ignore[arg-type]
            application=application,
            redirect_uri=asked["redirect_uri"],
            scopes=scopes,
            code_challenge=asked["code_challenge"],
            session_key=request.session.session_key,
        )
        return _return(asked, code=code)


def _salt(request: HttpRequest) -> str:
    return f"oauth.consent.{request.user.pk}.{request.session.session_key}"


def _client_of(asked: dict[str, str]) -> Application:
    """The client that asks, with its redirect address proven to be its own. Raises Refused."""
    application = Application.objects.select_related("user").filter(client_id=asked.get("client_id", "")).first()
    if application is None:
        raise Refused("No application is known by this client_id.")
    if not asked.get("redirect_uri"):
        raise Refused("The request names no redirect_uri.")
    if not application.redirect_uri_allowed(asked["redirect_uri"]):
        raise Refused("This redirect_uri is not one that the application registered.")
    return application


def _check(asked: dict[str, str], application: Application) -> list[str]:
    """The scopes to ask the user for. Raises Returned for all else that is wrong."""
    kind = asked.get("response_type")
    if kind is None:
        raise Returned("invalid_request", "response_type is missing.")
    if kind != "code":
        raise Returned("unsupported_response_type", "Only response_type=code is offered.")
    if not application.allows_grant_type("authorization_code"):
        raise Returned("unauthorized_client", "This application does not use authorisation codes.")
    if asked.get("response_mode", "query") != "query":
        raise Returned("invalid_request", "Only response_mode=query is offered.")
    if not _CHALLENGE.match(asked.get("code_challenge", "")):
        raise Returned("invalid_request", "code_challenge must be the base64url SHA-256 of the verifier.")
    if asked.get("code_challenge_method") != "S256":
        raise Returned("invalid_request", "code_challenge_method must be S256.")
    for name in ("request", "request_uri"):
        if name in asked:
            raise Returned(f"{name}_not_supported", "Request objects are not offered.")
    if "resource" in asked:
        raise Returned("invalid_target", "Tokens cannot be bound to a resource here.")
    scopes = list(dict.fromkeys(asked.get("scope", "").split())) or settings.OAUTH2_PROVIDER["DEFAULT_SCOPES"]
    most = application.scopes or settings.SCOPES
    for scope in scopes:
        if scope not in settings.SCOPES or scope not in most:
            raise Returned("invalid_scope", "A scope does not exist, or this application may not ask for it.")
    return scopes


def _return(asked: dict[str, str], **values: str) -> HttpResponse:
    """Back to the client, with `state` byte for byte as it came, and `iss` (RFC 9207)."""
    if "state" in asked:
        values["state"] = asked["state"]
    values["iss"] = settings.PUBLIC_URL
    address = asked["redirect_uri"]
    join = "&" if "?" in address else "?"
    response = HttpResponse(status=302)
    response["Location"] = f"{address}{join}{urlencode(values, quote_via=quote, safe='')}"
    return response


def _refusal(request: HttpRequest, reason: str) -> HttpResponse:
    return render(request, "oauth/refused.html", {"reason": reason}, status=400)


def _is_web(address: str) -> bool:
    return address.startswith(("https://", "http://"))


def _origin(address: str) -> str:
    """`https://host:port`, or `org.example.app:` for a private-use scheme."""
    if not _is_web(address):
        return address.partition(":")[0] + ":"
    return "/".join(re.split(r"[?#]", address)[0].split("/", 3)[:3])


class Faulty(Exception):
    """An answer of the token endpoints that is not 200."""

    def __init__(self, error: str, description: str, status: int = 400, **headers: str) -> None:
        self.response = _json({"error": error, "error_description": description}, status, {**headers})
        super().__init__(error)


def _json(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    return answer(data, status=status, headers={**_NO_STORE, **(headers or {})})


@method_decorator(csrf_exempt, name="dispatch")
class ClientView(View):
    """What the endpoints that clients call have in common: strict reading, one way to authenticate, limits."""

    http_method_names = ["post"]

    @method_decorator(sensitive_post_parameters())
    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            address = limits.address_of(request)
            self._limit("address", address)
            given = self._read(request)
            if client := self._claimed_client(request, given):
                self._limit("secret", f"{client}@{address}")
            with transaction.atomic():
                return self.handle(request, given)
        except Faulty as fault:
            return fault.response

    def handle(self, request: HttpRequest, given: dict[str, str]) -> HttpResponse:
        raise NotImplementedError

    def _limit(self, kind: str, identity: str) -> None:
        usage = limits.count(kind, f"oauth:{identity}")
        if usage.exceeded:
            raise Faulty(
                "temporarily_unavailable",
                f"Too many requests. Wait {usage.reset} seconds.",
                429,
                **{"Retry-After": str(usage.reset)},
            )

    def _read(self, request: HttpRequest) -> dict[str, str]:
        if request.content_type != "application/x-www-form-urlencoded":
            raise Faulty("invalid_request", "Send a form (application/x-www-form-urlencoded).")
        if request.META.get("QUERY_STRING"):
            raise Faulty("invalid_request", "Parameters belong in the body, not in the address.")
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > parameters.LONGEST:
            raise Faulty("invalid_request", "The request is too long.")
        try:
            given = parameters.read(request.body.decode("latin-1"))
        except parameters.Malformed as error:
            raise Faulty("invalid_request", str(error)) from None
        if request.META.get("HTTP_AUTHORIZATION") and "client_secret" in given:
            raise Faulty("invalid_request", "Authenticate in one way: by header or by body.")
        if "resource" in given:
            raise Faulty("invalid_target", "Tokens cannot be bound to a resource here.")
        return given

    def _claimed_client(self, request: HttpRequest, given: dict[str, str]) -> str:
        """Whom a request with a secret says it comes from; "" for one without."""
        _, _, credentials = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if credentials:
            try:
                return b64decode(credentials).decode("latin-1").partition(":")[0]
            except ValueError:
                return "unreadable"
        return given.get("client_id", "") if "client_secret" in given else ""

    def _call(self, method: Any, request: HttpRequest, given: dict[str, str]) -> HttpResponse:
        """Have oauthlib's `method` answer, with errors as RFC 6749 wants them."""
        headers, body, status = method("", "POST", _body(given), _headers(request))
        if status == 401 and "invalid_client" not in body:
            status = 400
        response = HttpResponse(body or b"", status=status, content_type="application/json")
        for name, value in {**headers, **_NO_STORE}.items():
            response[name] = value
        if status == 401:
            response["WWW-Authenticate"] = 'Basic realm="Guildhall", charset="UTF-8"'
        return response


def _body(given: dict[str, str]) -> str:
    """The form for oauthlib, which makes an attribute of its request of every parameter: only those it knows."""
    return urlencode_oauth([(name, given[name]) for name in _KNOWN if name in given])


def _headers(request: HttpRequest) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": request.META.get("HTTP_AUTHORIZATION", "")}


class TokenView(ClientView):
    """`/oauth/token`."""

    def handle(self, request: HttpRequest, given: dict[str, str]) -> HttpResponse:
        kind = given.get("grant_type")
        if kind is None:
            raise Faulty("invalid_request", "grant_type is missing.")
        if kind not in _GRANTS:
            raise Faulty("unsupported_grant_type", f"Offered are: {', '.join(_GRANTS)}.")
        if kind == "authorization_code":
            if "redirect_uri" not in given:
                raise Faulty("invalid_request", "redirect_uri is missing.")
            if not _VERIFIER.match(given.get("code_verifier", "")):
                raise Faulty("invalid_request", "code_verifier has 43 to 128 letters, digits and -._~.")
        return self._call(Server(Validator()).create_token_response, request, given)


class RevokeView(ClientView):
    """`/oauth/revoke` (RFC 7009). Revoking either token of an authorisation ends it."""

    def handle(self, request: HttpRequest, given: dict[str, str]) -> HttpResponse:
        return self._call(Server(Validator()).create_revocation_response, request, given)


class IntrospectView(ClientView):
    """`/oauth/introspect` (RFC 7662): a confidential client asks about its own tokens; others' are not active."""

    def handle(self, request: HttpRequest, given: dict[str, str]) -> HttpResponse:
        asked = Request("", "POST", _body(given), _headers(request))
        if not Validator().authenticate_client(asked):
            challenge = {"WWW-Authenticate": 'Basic realm="Guildhall", charset="UTF-8"'}
            raise Faulty("invalid_client", "Authenticate as a confidential client.", 401, **challenge)
        if "token" not in given:
            raise Faulty("invalid_request", "token is missing.")
        digest = authorisations.checksum(given["token"])
        mine = {"application_id": asked.client.pk, "token_checksum": digest}
        facts: dict[str, Any] = {"active": True, "client_id": asked.client.client_id, "iss": settings.PUBLIC_URL}
        if access := AccessToken.objects.filter(**mine, expires__gt=timezone.now()).first():
            facts |= {
                "token_type": "Bearer",
                "scope": access.scope,
                "exp": timegm(access.expires.utctimetuple()),
                "iat": timegm(access.created.utctimetuple()),
                "sub": str(access.user_id or asked.client.user_id),
            }
        elif refresh := RefreshToken.objects.filter(**mine, revoked=None).first():
            ends = refresh.created + settings.REFRESH_TOKEN_LASTS
            if ends <= timezone.now():
                return _json({"active": False})
            facts |= {"token_type": "refresh_token", "exp": timegm(ends.utctimetuple()), "sub": str(refresh.user_id)}
        else:
            return _json({"active": False})
        return _json(facts)


def metadata(request: HttpRequest) -> HttpResponse:
    """`/.well-known/oauth-authorization-server` (RFC 8414): what is offered, and no more."""
    base = settings.PUBLIC_URL
    secret = ["client_secret_basic", "client_secret_post"]
    return answer(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/oauth/authorize",
            "token_endpoint": f"{base}/oauth/token",
            "revocation_endpoint": f"{base}/oauth/revoke",
            "introspection_endpoint": f"{base}/oauth/introspect",
            "scopes_supported": list(settings.SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": list(_GRANTS),
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": [*secret, "none"],
            "revocation_endpoint_auth_methods_supported": [*secret, "none"],
            "introspection_endpoint_auth_methods_supported": secret,
            "authorization_response_iss_parameter_supported": True,
        },
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=3600"},
    )
