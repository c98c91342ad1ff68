"""Rate limits: of a user, of an application, of an address; and what the answers say of them."""

import re

import pytest
from oauth2_provider.models import AccessToken

from api.accounts.models import Application
from api.core import limits
from tests.factories import make_token

TIME, ME = "/api/v1/time", "/api/v1/me"


@pytest.fixture(autouse=True)
def calm(settings, tmp_path, monkeypatch):
    """Counters of the test's own, in a window that does not end meanwhile."""
    settings.RATE_LIMIT_FILE = tmp_path / "limits"
    settings.RATE_LIMITS = {"user": 100, "application": 100, "address": 100, "secret": 100}
    monkeypatch.setattr(limits.time, "time", lambda: 1_700_000_018.0)
    limits._table.cache_clear()
    yield
    limits._table.cache_clear()


def test_every_answer_tells_what_is_left(api, make_user) -> None:
    client = api(make_user())
    first, second = client.get(ME), client.get(ME)
    assert first["RateLimit-Policy"] == '"minute";q=100;w=60'
    assert re.fullmatch(r'"minute";r=99;t=\d+', first["RateLimit"])
    assert re.fullmatch(r'"minute";r=98;t=\d+', second["RateLimit"])


def test_past_the_limit(api, make_user, settings) -> None:
    settings.RATE_LIMITS["user"] = 2
    client = api(make_user())
    assert [client.get(ME).status_code for _ in range(4)] == [200, 200, 429, 429]
    refused = client.get(ME)
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["RateLimit"].startswith('"minute";r=0;')


def test_a_new_window_starts_anew(api, make_user, settings, monkeypatch) -> None:
    settings.RATE_LIMITS["user"] = 1
    client = api(make_user())
    assert [client.get(ME).status_code for _ in range(2)] == [200, 429]
    wait = int(client.get(ME)["Retry-After"])
    monkeypatch.setattr(limits.time, "time", lambda: 1_700_000_018.0 + wait)
    assert client.get(ME).status_code == 200


def test_one_user_does_not_use_up_anothers(api, make_user, settings) -> None:
    settings.RATE_LIMITS["user"] = 1
    ana, ben = api(make_user("Ana")), api(make_user("Ben"))
    assert [ana.get(ME).status_code, ana.get(ME).status_code, ben.get(ME).status_code] == [200, 429, 200]


def test_a_user_is_counted_over_all_tokens_and_addresses(api, make_user, settings) -> None:
    settings.RATE_LIMITS["user"] = 1
    ana = make_user("Ana")
    assert api(ana).get(ME).status_code == 200
    assert api(ana).get(ME, REMOTE_ADDR="203.0.113.9").status_code == 429


def test_an_application_is_counted_over_all_users(api, make_user, settings) -> None:
    settings.RATE_LIMITS["application"] = 2
    users = [make_user(name) for name in ("Ana", "Ben", "Cleo")]
    answers = [api(user).get(ME) for user in users]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"minute";q=2;w=60', "the tighter of the two is told"
    other = Application.objects.create(
        name="Other", client_type="public", authorization_grant_type="authorization-code", user=users[0]
    )
    token = make_token(users[2])
    AccessToken.objects.filter(user=users[2]).update(application=other)
    assert api().get(ME, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_callers_without_a_token_are_counted_by_address(client, db, settings) -> None:
    settings.RATE_LIMITS["address"] = 2
    assert [client.get(TIME).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get(TIME, REMOTE_ADDR="203.0.113.9").status_code == 200
    assert client.get(TIME, headers={"X-Forwarded-For": "203.0.113.10"}).status_code == 429, "not behind a proxy"


def test_guessing_tokens_is_limited(client, db, settings) -> None:
    settings.RATE_LIMITS["address"] = 2
    guess = lambda n: client.get(ME, headers={"Authorization": f"Bearer guess-{n}"}).status_code  # noqa: E731
    assert [guess(n) for n in range(4)] == [401, 401, 429, 429]


def test_refused_calls_count_too(api, make_user, settings) -> None:
    settings.RATE_LIMITS["user"] = 2
    client = api(make_user(), scopes=[])
    assert [client.get(ME).status_code for _ in range(3)] == [403, 403, 429]


def test_processes_share_one_count(settings) -> None:
    """Each process maps the same file."""
    limits.count("user", "ana")
    limits._table.cache_clear()
    assert limits.count("user", "ana").remaining == 98


def test_who_does_not_know_the_secret_cannot_find_a_name_that_meets_anothers(settings) -> None:
    """Otherwise a caller could use up somebody else's limit under a name that falls into the same slot."""
    names = [f"user:{n}" for n in range(20)]
    settings.SECRET_KEY = "one"
    first = [limits._slot(name, settings.SECRET_KEY) for name in names]
    settings.SECRET_KEY = "another"
    assert [limits._slot(name, settings.SECRET_KEY) for name in names] != first
