"""Logs: a line for each request, as JSON, with whose it was and without what is secret."""

import io
import logging
from uuid import uuid4

import orjson
import pytest
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from api.core import context, queue
from api.core.logs import RequestFields
from tests.core import errands
from tests.factories import make_token

ME = "/api/v1/me"


@pytest.fixture
def lines():
    """What the server writes, in the format of the settings; call it for the lines so far."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    options = dict(settings.LOGGING["formatters"]["json"])
    formatter = import_string(options.pop("()"))
    handler.setFormatter(formatter(fmt=options["fmt"], rename_fields=options["rename_fields"]))
    handler.addFilter(RequestFields())
    loggers = [logging.getLogger(name) for name in ("guildhall", "django.request", "django.security")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.addHandler(handler)
        each.setLevel(logging.INFO)
    yield lambda: [orjson.loads(line) for line in stream.getvalue().splitlines()]
    for each, level in zip(loggers, levels, strict=True):
        each.removeHandler(handler)
        each.setLevel(level)


def test_a_line_for_each_request(lines, api, make_user) -> None:
    ana = make_user("Ana")
    response = api(ana).get(f"{ME}?page=2", headers={"X-Request-ID": "from-the-proxy-1"})
    assert response["X-Request-ID"] == "from-the-proxy-1"
    [line] = [each for each in lines() if each["message"] == "request"]
    assert line["ms"] > 0
    assert {key: line[key] for key in ("level", "logger", "method", "path", "status", "request_id", "user_id")} == {
        "level": "INFO",
        "logger": "guildhall.request",
        "method": "GET",
        "path": ME,
        "status": 200,
        "request_id": "from-the-proxy-1",
        "user_id": str(ana.pk),
    }
    assert line["node"] == settings.NODE_NAME


def test_a_request_without_a_user_has_none_in_its_line(lines, api, client, make_user) -> None:
    api(make_user("Ana")).get(ME)
    client.get("/api/v1/time")
    assert ["user_id" in each for each in lines() if each["message"] == "request"] == [True, False]


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space", "new\nline-and-more", "é" * 10, ""])
def test_ids_that_are_none_are_replaced(client, db, given) -> None:
    response = client.get("/api/v1/time", headers={"X-Request-ID": given})
    assert response["X-Request-ID"] != given
    assert len(response["X-Request-ID"]) == 32


def test_two_requests_have_two_ids(client, db) -> None:
    assert client.get("/api/v1/time")["X-Request-ID"] != client.get("/api/v1/time")["X-Request-ID"]


def test_no_line_has_a_token_or_what_was_sent(lines, api, make_user, monkeypatch) -> None:
    ana = make_user("Ana")
    token = make_token(ana)
    client = api()
    client.raise_request_exception = False
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "a-key-of-mine"}
    client.get(f"{ME}?access_token={token}", headers=headers)
    client.get(f"/api/v1/nothing?access_token={token}", headers=headers)
    client.patch(ME, {"name": "Ana of the secret name"}, headers=headers)
    client.get(ME, headers={"Authorization": f"Bearer {token}x"})

    def crash(**_):
        raise RuntimeError("out of luck")

    monkeypatch.setattr("api.projects.services.create_project", crash)
    client.post("/api/v1/projects", {"title": "A secret title"}, headers={**headers, "Idempotency-Key": "another-key"})
    text = orjson.dumps(lines()).decode()
    assert text.count('"message":"request"') == 5
    assert "out of luck" in text
    for secret in (token, "secret name", "secret title", "a-key-of-mine", "another-key", ana.email):
        assert secret not in text


def test_a_crash_is_logged_with_its_trace_its_request_and_its_user(lines, api, make_user, monkeypatch) -> None:
    def crash(**_):
        raise RuntimeError("out of luck")

    ana = make_user("Ana")
    monkeypatch.setattr("api.projects.services.create_project", crash)
    client = api(ana)
    client.raise_request_exception = False
    response = client.post("/api/v1/projects", {"title": "Ducks"})
    [line] = [each for each in lines() if each["level"] == "ERROR"]
    assert "RuntimeError: out of luck" in line["exc_info"]
    assert line["request_id"] == response.json()["request_id"] == response["X-Request-ID"]
    assert line["user_id"] == str(ana.pk)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/accounts/confirm-email/MTI:1abc:secret-key/", "/accounts/confirm-email/"),
        ("/accounts/password/reset/key/1a-secret-key/", "/accounts/password/reset/key/"),
        # Mistyped, or cut by a mail program.
        ("/accounts/confirm-email/MTI:1abc:secret-key", "/accounts/"),
        ("/accounts/password/reset/key/1a-secret-key", "/accounts/"),
    ],
)
def test_links_in_mails_stay_secret(lines, client, db, path, shown) -> None:
    client.get(path)
    [line] = [each for each in lines() if each["message"] == "request"]
    assert line["path"] == f"{shown}…"
    assert "secret-key" not in orjson.dumps(lines()).decode()


def test_a_jobs_lines_have_its_id_and_that_of_the_request_that_left_it(lines, db) -> None:
    token = context.request_id.set("request-of-ana")
    with transaction.atomic():
        done, failed = errands.note.enqueue(str(uuid4())), errands.fail.enqueue(str(uuid4()))
    context.request_id.reset(token)
    worker = queue.Worker()
    while worker.run_next():
        pass
    told = {line["job_id"]: line for line in lines() if line["message"] == "job"}
    assert [told[each.id]["outcome"] for each in (done, failed)] == ["done", "failed"]
    for line in lines():
        assert (line["request_id"], line["node"]) == ("request-of-ana", settings.NODE_NAME)
    [trace] = [line["exc_info"] for line in lines() if line["message"] == "job failed"]
    assert "RuntimeError: out of luck" in trace
