"""Imports over HTTP: formats, answers, and keys that make a repeated upload harmless."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest

from api.projects import services
from api.projects.models import Batch, Project, Task
from tests.projects.build import draft

ROWS = "name\n" + "".join(f"duck number {n}\n" for n in range(100_000))
"""More than the megabyte that is kept in memory."""

Send = Callable[..., Any]


@pytest.fixture
def owner(make_user):
    return make_user("Owner")


@pytest.fixture
def project(owner) -> Project:
    return draft(owner, tasks=0)


@pytest.fixture
def send(api, owner, project) -> Send:
    """`send(data, "text/csv", key="…", on_error="keep")` uploads to the project as its owner."""
    client = api(owner)

    def run(data: bytes | str, content_type: str = "text/csv", key: str | None = None, **query: str) -> Any:
        raw = data.encode() if isinstance(data, str) else data
        path = f"/api/v1/projects/{project.id}/tasks"
        if query:
            path += "?" + "&".join(f"{name}={value}" for name, value in query.items())
        headers = {"Idempotency-Key": key} if key else {}
        return client.generic("POST", path, raw, content_type, headers=headers)

    return run


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("text/csv", b"name\na\nb\n"),
        ("text/csv; charset=utf-8", b"name;x\na;1\nb;2\n"),
        ("application/x-ndjson", b'{"input": {"name": "a"}}\n{"input": {"name": "b"}}\n'),
        ("application/json", b'[{"input": {"name": "a"}}, {"input": {"name": "b"}}]'),
    ],
)
def test_every_format_is_told_by_its_type(send, project, content_type, data) -> None:
    response = send(data, content_type)
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["state"], body["lines"], body["added"], body["rejected"]) == ("done", 2, 2, 0)
    names = Task.objects.filter(project=project).order_by("position").values_list("input__name", flat=True)
    assert list(names) == ["a", "b"]


@pytest.mark.parametrize("key", [None, "key-" + "x" * 20])
@pytest.mark.parametrize("data", [b"name\na\nb\n", ROWS.encode()])
def test_a_file_from_a_form(api, owner, project, data, key) -> None:
    response = _form(api(owner), project, data, key)
    assert response.status_code == 201, response.content
    assert response.json()["filename"] == "ducks.csv"
    assert response.json()["added"] == data.count(b"\n") - 1


def _form(client: Any, project: Project, data: bytes, key: str | None) -> Any:
    boundary = uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="ducks.csv"\r\n'
    body = head.encode() + b"Content-Type: text/csv\r\n\r\n" + data + f"\r\n--{boundary}--\r\n".encode()
    return client.generic(
        "POST",
        f"/api/v1/projects/{project.id}/tasks",
        body,
        f"multipart/form-data; boundary={boundary}",
        headers={"Idempotency-Key": key} if key else {},
    )


@pytest.mark.parametrize("key", [None, "key-" + "x" * 20])
def test_a_strangers_form_is_refused_before_any_of_it_is_kept(api, make_user, project, settings, tmp_path, key) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "none"
    sent = ROWS.encode()
    refused = _form(api(make_user("Stranger")), project, sent, key)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert refused.wsgi_request.read(1) == b"", "heard to its end, so that the client hears, too"
    with pytest.raises(FileNotFoundError):
        _form(api(project.created_by), project, sent, key)


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (b"\n", "text/csv", 400, "empty_file"),
        (b"n\xe4me\na\n", "text/csv", 400, "wrong_encoding"),
        (b"name\na\0\n", "text/csv", 400, "binary_file"),
        (b"title\na\n", "text/csv", 400, "missing_column"),
        (b"name,name\na,b\n", "text/csv", 400, "wrong_header"),
        (b"name\n" + b"x" * 2_000_000, "text/csv", 400, "row_too_long"),
        (b"{}", "application/json", 400, "invalid_json"),
        (b"name\na\n", "application/pdf", 415, "unknown_format"),
    ],
)
@pytest.mark.parametrize("key", [None, "key-" + "y" * 20])
def test_a_file_that_cannot_be_read_has_an_error_of_its_own(send, data, content_type, status, code, key) -> None:
    response = send(data, content_type, key)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not Batch.objects.exists()


def test_a_file_over_the_limit_is_too_large_before_it_is_read(send, settings) -> None:
    settings.IMPORT_MAX_BYTES = 1000
    response = send(b"name\n" + b"a\n" * 1000)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("key", [None, "key-" + "z" * 20])
def test_refused_lines_come_with_the_batch_and_its_report_is_kept(send, key) -> None:
    response = send(b'{"input": {"name": "a"}}\n{"input": {"name": 1}}\n', "application/x-ndjson", key)
    assert (response.status_code, response.json()["code"]) == (400, "lines_refused")
    batch = response.json()["batch"]
    assert (batch["state"], batch["added"], batch["rejected"]) == ("refused", 0, 1)
    assert [problem["line"] for problem in batch["problems"]] == [2]
    assert Batch.objects.get(id=batch["id"]).problems.count() == 1
    assert not Task.objects.exists()


@pytest.mark.parametrize("data", ["name\na\nb\n", ROWS])
def test_the_same_upload_under_the_same_key_adds_once(send, data) -> None:
    first, again = send(data, key="upload-0001"), send(data, key="upload-0001")
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert Task.objects.count() == first.json()["added"]


def test_a_form_sent_again_is_the_same_upload_though_its_boundary_differs(api, owner, project) -> None:
    first, again = (_form(api(owner), project, ROWS.encode(), "upload-0001") for _ in range(2))
    assert again.json() == first.json()
    assert Batch.objects.count() == 1


@pytest.mark.parametrize("data", ["name\na\nb\n", ROWS])
def test_another_upload_of_the_same_length_under_the_same_key_is_refused(send, data) -> None:
    assert send(data, key="upload-0001").status_code == 201
    response = send(data[:-2] + "z\n", key="upload-0001")
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert Batch.objects.count() == 1


def test_an_upload_that_was_added_is_replayed_even_when_it_could_not_be_added_any_more(send, project, owner) -> None:
    first = send(ROWS, key="upload-0001")
    services.edit_project(
        project_id=project.id, by=owner, fields={"input_schema": {"type": "object", "required": ["other"]}}
    )
    assert send(ROWS, key="upload-0001").json() == first.json()
    assert send(ROWS, key="upload-0002").json()["code"] == "missing_column"


def test_a_refused_file_is_read_to_its_end_so_that_the_client_hears_of_it(send, monkeypatch) -> None:
    rest = []
    monkeypatch.setattr("api.projects.uploads.BytesIO", lambda body: rest.append(BytesIO(body)) or rest[0])
    assert send("title\n" + "a\n" * 400_000).json()["code"] == "missing_column"
    assert rest[0].read() == b""
