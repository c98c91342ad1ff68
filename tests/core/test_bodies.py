"""Bodies that are not what they should be."""

from io import BytesIO

import orjson
import pytest

from api.core.http import JSONParser
from tests.projects import build

PROJECTS = "/api/v1/projects"


@pytest.fixture
def client(api, make_user):
    client = api(make_user())
    client.raise_request_exception = False
    return client


def _send(client, body: bytes, path: str = PROJECTS):
    response = client.post(path, body, "application/json")
    assert response.status_code == 400, response.content
    return response.json()


@pytest.mark.parametrize(
    "body",
    [b"{", b"nope", b"{'title': 1}", b'{"title": "x",}', b'\xff{"title": "x"}', b'{"title": "\xff"}', b"\x00"]
    + [b'{"title": "\\ud800"}', b'{"title": NaN}', b'{"title": 1}{"title": 2}', b'\xef\xbb\xbf{"title": "x"}'],
)
def test_bodies_that_are_not_json(client, body) -> None:
    assert "not JSON" in _send(client, body)["detail"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"title"', b"3", b"true", b'[{"title": "x"}]'])
def test_bodies_that_are_not_objects(client, body) -> None:
    assert _send(client, body)["errors"][0]["detail"] == "The body must be a JSON object."


def test_an_empty_body_is_an_empty_object(client) -> None:
    assert _send(client, b"  \n")["errors"] == [
        {"field": "title", "code": "required", "detail": "This field is required."}
    ]


def test_unknown_fields_are_refused_by_their_path(client) -> None:
    problem = _send(
        client, orjson.dumps({"title": "x", "titel": 1, "reward": {"amount": 1, "currency": "USD", "x": 2}})
    )
    assert [(each["field"], each["code"]) for each in problem["errors"]] == [
        ("titel", "unknown_field"),
        ("reward.x", "unknown_field"),
    ]


def test_every_problem_of_a_body_at_once(client) -> None:
    body = {"title": "", "reward": {"amount": -1, "currency": "usd"}, "keywords": ["x" * 41], "claim_lasts": "soon"}
    fields = {each["field"] for each in _send(client, orjson.dumps(body))["errors"]}
    assert fields == {"title", "reward.amount", "reward.currency", "keywords.0", "claim_lasts"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"title": "a\\u0000b"}',
        b'{"title": "x", "instructions": "\\u0000"}',
        b'{"title": "x", "keywords": ["\\u0000"]}',
        b'{"title": "x", "interface": {"kind": "elements", "elements": [{"show": "text", "text": "\\u0000"}]}}',
        b'{"title": "x", "input_schema": {"type": "object", "description": "\\u0000"}}',
        b'{"title": "x", "input_schema": {"type": "object", "properties": {"\\u0000": {"type": "string"}}}}',
    ],
)
def test_nul_characters(client, body) -> None:
    _send(client, body)


@pytest.mark.parametrize("path", ["projects?q=%00", "feed?q=%00", "feed?keyword=%00", "assignments?cursor=%00"])
def test_nul_characters_in_a_query(client, path) -> None:
    assert client.get(f"/api/v1/{path}").status_code == 400


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 30, "-" + "9" * 30, "1.5", "18446744073709551615", "1e2"])
@pytest.mark.parametrize("field", ["reward", "assignments_per_task", "claim_lasts", "max_tasks_per_worker"])
def test_numbers_that_nothing_can_hold(client, number, field) -> None:
    value = f'{{"amount": {number}, "currency": "USD"}}' if field == "reward" else number
    response = client.post(PROJECTS, f'{{"title": "x", "{field}": {value}}}'.encode(), "application/json")
    assert response.status_code in ({400, 201} if number == "1e2" else {400}), response.content


@pytest.mark.parametrize("number", ["9" * 30, "-1", "1e5", "0x1", "٣", "inf", "nan"])
def test_numbers_in_a_query(client, number) -> None:
    assert client.get("/api/v1/feed", {"min_wage": number}).status_code in (200, 400)
    assert client.get("/api/v1/projects", {"limit": number}).status_code == 400


@pytest.mark.parametrize("depth", [101, 254, 300, 1000, 5000, 100_000])
@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["arrays", "objects"])
def test_deep_bodies(client, depth, start, end) -> None:
    deep = start * depth + b"1" + end * depth
    problem = _send(client, b'{"title": "x", "input_schema": {"x": ' + deep + b"}}")
    assert "nested deeper" in problem["detail"] or "not JSON" in problem["detail"]


def test_a_body_may_be_wide_but_not_deep() -> None:
    wide = {"rows": [{"a": [1, 2]} for _ in range(1000)]}
    assert JSONParser().parse(BytesIO(orjson.dumps(wide))) == wide


def test_a_schema_as_deep_as_is_allowed_does_not_crash(client) -> None:
    schema: dict = {"type": "string"}
    for _ in range(45):
        schema = {"type": "object", "properties": {"a": schema}}
    response = client.post(f"{PROJECTS}/check", {"input_schema": schema})
    assert response.status_code == 200


def test_long_bodies(client, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    fits = orjson.dumps({"title": "x"}).ljust(1000)
    assert client.post(PROJECTS, fits, "application/json").status_code == 201
    for headers in ({}, {"Idempotency-Key": "a-key-of-mine"}):
        refused = client.post(PROJECTS, fits + b" ", "application/json", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "nonsense"])
def test_json_is_utf_8_whatever_the_charset_says(client, charset) -> None:
    body = orjson.dumps({"title": "Äußeres"})
    response = client.generic("POST", PROJECTS, body, f"application/json; charset={charset}")
    assert (response.status_code, response.json()["title"]) == (201, "Äußeres")


def test_answers_are_checked_as_well(api, make_user, client) -> None:
    project = build.published(make_user("Owner"))
    claim = client.post(f"{PROJECTS}/{project.id}/claim").json()
    submit = f"/api/v1/assignments/{claim['id']}/submit"
    for answer in (b"null", b"[]", b'"1"', b'{"label": "\\u0000"}', b'{"label": "2"}', b'{"other": "1"}', b"{}"):
        problem = _send(client, b'{"answer": ' + answer + b"}", submit)
        assert problem["code"] in {"invalid", "invalid_answer"}
    for body in (b"{}", b'{"answer": {"label": "1"}, "next": 1}', b'{"answer": {"label": "1"}, "state": "accepted"}'):
        _send(client, body, submit)
    assert client.post(submit, {"answer": {"label": "1"}}).status_code == 200
