"""Errors as problem documents: each kind, each status, and never a stack trace."""

import importlib
import pkgutil

import orjson
import pytest
from django.db import OperationalError

import api as api_package
from api.core.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from api.core.problems import problem_of, status_of, title_of
from api.ledger.errors import InsufficientFunds
from api.messaging.errors import TooManyMessages, TooManyThreads
from tests.projects.build import draft

ME, PROJECTS = "/api/v1/me", "/api/v1/projects"
UNKNOWN = "0198c1f2-7d3a-7c4e-9b1a-2f6d8e0a4c51"


def _kinds() -> list[type[DomainError]]:
    for module in pkgutil.walk_packages(api_package.__path__, "api."):
        if "migrations" not in module.name:
            importlib.import_module(module.name)
    found, left = set(), [DomainError]
    while left:
        for kind in left.pop().__subclasses__():
            if kind not in found and kind.__module__.startswith("api."):
                found.add(kind)
                left.append(kind)
    return sorted(found, key=lambda kind: (kind.__module__, kind.__name__))


KINDS = _kinds()
# What cannot be raised without saying more.
MORE: dict[type[DomainError], dict[str, object]] = {
    InsufficientFunds: {"missing": 3, "currency": "USD"},
    TooManyMessages: {"retry_after": 5},
    TooManyThreads: {"retry_after": 5},
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_error_is_a_problem(kind) -> None:
    error = kind(**MORE.get(kind, {}))
    response = problem_of(error)
    body = orjson.loads(response.content)
    assert response["Content-Type"] == "application/problem+json"
    assert body == {
        **error.extra,
        "type": f"urn:guildhall:problem:{kind.code}",
        "title": title_of(kind),
        "status": response.status_code,
        "detail": error.detail,
        "code": kind.code,
    }
    assert response.status_code == status_of(kind)
    assert 400 <= response.status_code < 500


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_an_error_of_its_own_kind_says_what_happened(kind) -> None:
    """A code in snake_case, and a sentence of its own for people."""
    assert kind.code.replace("_", "").isalpha()
    assert kind.code.islower()
    assert kind.message[0].isupper()
    assert kind.message.endswith(".")
    assert kind is DomainError or kind.message != DomainError.message


def test_one_code_has_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for kind in KINDS:
        statuses.setdefault(kind.code, set()).add(status_of(kind))
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


@pytest.mark.parametrize(("kind", "status"), [(Invalid, 400), (NotAllowed, 403), (NotFound, 404), (Conflict, 409)])
def test_the_four_kinds(kind, status) -> None:
    assert problem_of(kind("What happened.", missing=3)).status_code == status
    assert orjson.loads(problem_of(kind("What happened.", missing=3)).content)["missing"] == 3


def _is_problem(response, status: int, code: str) -> None:
    body = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert response["Content-Type"] == "application/problem+json"
    assert body["request_id"] == response["X-Request-ID"]
    assert body["detail"]
    assert "Traceback" not in response.text
    assert ".py" not in response.text


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1", "/api/v1/", "/api/nothing", "/api/v1/me/"])
def test_unknown_addresses(client, db, path) -> None:
    _is_problem(client.get(path), 404, "not_found")


@pytest.mark.parametrize(
    "path", [f"{PROJECTS}/{UNKNOWN}", f"{PROJECTS}/not-an-id", f"{PROJECTS}/{UNKNOWN}%00", f"/api/v1/tasks/{UNKNOWN}"]
)
def test_things_that_are_not_there(api, make_user, path) -> None:
    _is_problem(api(make_user()).get(path), 404, "not_found")


def test_without_a_token(client, db) -> None:
    response = client.get(ME)
    _is_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Bearer é", "bearer " + "x" * 9000])
def test_with_a_token_that_is_none(client, db, header) -> None:
    response = client.get(ME, headers={"Authorization": header})
    _is_problem(response, 401, "invalid_token")
    assert response["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_other_schemes_are_no_token(client, db) -> None:
    _is_problem(client.get(ME, headers={"Authorization": "Basic YTpi"}), 401, "not_authenticated")


def test_with_too_narrow_a_token(api, make_user) -> None:
    response = api(make_user(), scopes=["work:read"]).get(ME)
    _is_problem(response, 403, "insufficient_scope")
    assert response["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="account:read"'


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("signed_in", [True, False])
def test_methods_that_are_not_there(api, make_user, method, signed_in) -> None:
    client = api(make_user()) if signed_in else api()
    response = client.generic(method, ME)
    _is_problem(response, 405, "method_not_allowed")
    assert {"GET", "PATCH"} <= set(response["Allow"].split(", "))
    assert not {"PUT", "DELETE", "POST"} & set(response["Allow"].split(", "))


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "x"])
def test_bodies_of_another_type(api, make_user, content_type) -> None:
    _is_problem(api(make_user()).post(PROJECTS, b"title=Ducks", content_type), 415, "unsupported_media_type")


def test_uploads_of_another_type(api, make_user) -> None:
    owner = make_user()
    response = api(owner).post(f"{PROJECTS}/{draft(owner).id}/tasks", b"%PDF", "application/pdf")
    _is_problem(response, 415, "unknown_format")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "*/*"])
def test_the_api_speaks_json_whatever_is_asked_for(client, db, accept) -> None:
    response = client.get("/api/v1/time", headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


def test_a_crash_tells_nothing(api, make_user, monkeypatch) -> None:
    def crash(**_):
        raise RuntimeError("the secret is 1234")

    monkeypatch.setattr("api.projects.services.create_project", crash)
    client = api(make_user())
    client.raise_request_exception = False
    response = client.post(PROJECTS, {"title": "Ducks"})
    _is_problem(response, 500, "server_error")
    assert "1234" not in response.text


def test_a_database_that_cannot_answer(api, make_user, monkeypatch) -> None:
    def away(**_):
        raise OperationalError("server closed the connection; host=10.0.0.7")

    monkeypatch.setattr("api.projects.services.create_project", away)
    response = api(make_user()).post(PROJECTS, {"title": "Ducks"})
    _is_problem(response, 503, "unavailable")
    assert response["Retry-After"] == "1"
    assert "10.0.0.7" not in response.text


def test_hosts_that_are_not_ours(client, db) -> None:
    response = client.get(ME, headers={"Host": "evil.example"})
    assert response.status_code in (400, 401)
    assert "Traceback" not in response.text


def test_an_answer_tells_its_length(client, db):
    response = client.get("/api/v1/time")
    assert response["Content-Length"] == str(len(response.content))
    assert client.get("/api/v1/me")["Content-Length"]
