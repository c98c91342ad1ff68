"""A client application, and the ways to get tokens with it."""

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client

from api.accounts.models import Application, User
from api.accounts.services import applications
from api.core import limits

FORM = "application/x-www-form-urlencoded"
CALLBACK = "https://app.example.org/back?from=guildhall"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(autouse=True)
def fresh_limits(settings: Any, tmp_path: Any) -> Iterator[None]:
    """Each test counts its own requests, and hashes passwords fast."""
    settings.RATE_LIMIT_FILE = tmp_path / "limits"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    limits._table.cache_clear()
    yield
    limits._table.cache_clear()


@pytest.fixture(autouse=True)
def fresh_cache(db: None) -> None:
    cache.clear()


@pytest.fixture
def ana(make_user: Callable[..., User]) -> User:
    user = make_user("Ana")
    user.set_password("a long way down")
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.fixture
def browser(ana: User) -> Client:
    """Ana's browser, signed in through the page."""
    client = Client()
    answer = client.post("/accounts/login/", {"login": ana.email, "password": "a long way down"})
    assert answer.status_code == 302, answer.content
    return client


@pytest.fixture
def public_app(make_user: Callable[..., User]) -> Application:
    fields = {"name": "Pocket", "client_type": "public", "redirect_uris": [CALLBACK, "http://127.0.0.1:5000/cb"]}
    return applications.create_application(owner=make_user("Dev"), fields=fields)[0]


@pytest.fixture
def server_app(make_user: Callable[..., User]) -> tuple[Application, str]:
    fields = {
        "name": "Server",
        "client_type": "confidential",
        "grant_types": ["authorization_code", "client_credentials"],
        "scopes": ["projects:read", "projects:write", "account:read"],
        "redirect_uris": [CALLBACK],
    }
    return applications.create_application(owner=make_user("Firm"), fields=fields)


@pytest.fixture
def web_app(db: None) -> Application:
    return applications.create_first_party()[0]


def asked(application: Application, **changes: Any) -> str:
    """The address of an authorisation request. A change to None leaves the parameter out."""
    values = {
        "response_type": "code",
        "client_id": application.client_id,
        "redirect_uri": CALLBACK,
        "scope": "account:read work:read",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return "/oauth/authorize?" + urlencode({name: value for name, value in values.items() if value is not None})


def answer_of(response: Any) -> dict[str, str]:
    """What a redirect to the client tells it."""
    assert response.status_code == 302, response.content
    query = parse_qs(urlsplit(response["Location"]).query, keep_blank_values=True, strict_parsing=True)
    return {name: values[0] for name, values in query.items()}


def consent(browser: Client, address: str, answer: str = "allow") -> Any:
    page = browser.get(address)
    assert page.status_code == 200, (page.status_code, page.content, page.headers)
    return browser.post("/oauth/authorize", {"request": page.context["signed"], "answer": answer})


def code_for(browser: Client, application: Application, **changes: Any) -> str:
    return answer_of(consent(browser, asked(application, **changes)))["code"]


def call(path: str, fields: dict[str, str] | str, **headers: str) -> Any:
    body = fields if isinstance(fields, str) else urlencode(fields)
    return Client().post(f"/oauth/{path}", body, content_type=FORM, headers=headers or None)


def exchange(application: Application, its_code: str, **changes: str) -> Any:
    fields = {
        "grant_type": "authorization_code",
        "client_id": application.client_id,
        "code": its_code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    } | changes
    return call("token", fields)


def refresh(application: Application, token: str, **changes: str) -> Any:
    fields = {"grant_type": "refresh_token", "client_id": application.client_id, "refresh_token": token}
    return call("token", fields | changes)


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def me(token: str) -> Any:
    return Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def tokens(browser: Client, public_app: Application) -> dict[str, Any]:
    response = exchange(public_app, code_for(browser, public_app))
    assert response.status_code == 200, response.content
    return response.json()
