"""A real database that fails: sessions killed, standbys, no connection left, no server. What callers see of it."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test.client import encode_multipart

from api.core import problems, trouble
from api.projects import services
from api.projects.models import Project, Task
from tests import factories
from tests.projects import build

pytestmark = pytest.mark.django_db(transaction=True)
PROJECTS = "/api/v1/projects"
DUCKS = {"title": "Ducks"}
NOTHING_DONE, NOT_KNOWN = problems.UNAVAILABLE, problems.UNKNOWN


@pytest.fixture
def client(api, make_user) -> Iterator[factories.ApiClient]:
    yield api(make_user())
    connection.close()


def key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(8)}


def kill_session() -> None:
    """End this thread's session as a crash does."""
    parameters = connection.get_connection_params()
    session = psycopg2.connect(host=parameters["host"], user=parameters["user"], dbname=parameters["dbname"])
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.get_backend_pid()])
        assert cursor.fetchone() == (True,)
    session.close()


def killed_after(monkeypatch: Any, name: str, times: int = 1) -> list[str]:
    """The session is killed when this service has done its work, the first `times` it is called. Its calls."""
    original: Callable[..., Any] = getattr(services, name)
    calls: list[str] = []

    def killed(**given: Any) -> Any:
        calls.append(name)
        done = original(**given)
        if len(calls) <= times:
            kill_session()
        return done

    monkeypatch.setattr(services, name, killed)
    return calls


@contextmanager
def setting(name: str, value: str) -> Iterator[None]:
    """New connections are made with another HOST or USER meanwhile."""
    before = connection.settings_dict[name]
    connection.settings_dict[name] = value
    connection.close()
    try:
        yield
    finally:
        connection.settings_dict[name] = before
        connection.close()


@pytest.fixture
def nowhere(tmp_path) -> str:
    """A host where no server listens."""
    return str(tmp_path)


def is_unavailable(response: Any, detail: str) -> bool:
    body = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert response["Retry-After"] == "1"
    return (response.status_code, body["code"], body["detail"]) == (503, "unavailable", detail)


def test_a_safe_request_whose_session_is_killed_is_answered(client, monkeypatch) -> None:
    from api.projects import selectors

    original, calls = selectors.listed_projects, []

    def killed(*given: Any, **wanted: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            kill_session()
        return original(*given, **wanted)

    monkeypatch.setattr(selectors, "listed_projects", killed)
    assert client.get(PROJECTS).json() == []
    assert len(calls) == 2


def test_a_safe_request_is_repeated_once(client, monkeypatch) -> None:
    from api.projects import selectors

    calls = []

    def killed(*given: Any, **wanted: Any) -> Any:
        calls.append(1)
        raise OperationalError("gone")

    monkeypatch.setattr(selectors, "listed_projects", killed)
    assert is_unavailable(client.get(PROJECTS), NOTHING_DONE)
    assert len(calls) == 2


def test_a_call_with_a_key_is_done_once_when_its_session_is_killed_before_the_commit(client, monkeypatch) -> None:
    calls = killed_after(monkeypatch, "create_project")
    response = client.post(PROJECTS, DUCKS, headers=key())
    assert response.status_code == 201
    assert len(calls) == 2
    assert Project.objects.count() == 1


def test_a_call_with_a_key_is_done_once_when_its_session_is_lost_after_the_commit(client, monkeypatch) -> None:
    """The server has committed and its answer is lost: nobody but the key can tell."""
    original, lost = connection._commit, []

    def commit() -> None:
        original()
        if not lost:
            lost.append(1)
            connection.connection.close()
            raise OperationalError("server closed the connection") from psycopg2.OperationalError()

    monkeypatch.setattr(connection, "_commit", commit)
    response = client.post(PROJECTS, DUCKS, headers=key())
    assert lost
    assert response.status_code == 201
    assert response["Idempotency-Replayed"] == "true"
    assert Project.objects.count() == 1


def test_a_call_without_a_key_is_not_repeated_and_says_that_nobody_knows(client, monkeypatch) -> None:
    calls = killed_after(monkeypatch, "create_project")
    assert is_unavailable(client.post(PROJECTS, DUCKS), NOT_KNOWN)
    assert len(calls) == 1
    assert client.post(PROJECTS, DUCKS).status_code == 201


def test_patience_ends(client, monkeypatch) -> None:
    monkeypatch.setattr(trouble, "PATIENCE", 0.3)
    calls = killed_after(monkeypatch, "create_project", times=1000)
    given = key()
    assert is_unavailable(client.post(PROJECTS, DUCKS, headers=given), NOT_KNOWN)
    assert 2 <= len(calls) <= 5
    monkeypatch.undo()
    assert client.post(PROJECTS, DUCKS, headers=given).status_code == 201
    assert Project.objects.count() == 1


LINES = "\n".join(f'{{"input": {{"name": "duck {number}"}}}}' for number in range(50)).encode()


def imported(client: factories.ApiClient, project: Project, given: dict[str, str], *, form: bool) -> Any:
    path = f"{PROJECTS}/{project.id}/tasks"
    if form:
        file = SimpleUploadedFile("ducks.jsonl", LINES, content_type="application/x-ndjson")
        data = encode_multipart("boundary", {"file": file})
        return client.post(path, data, content_type="multipart/form-data; boundary=boundary", headers=given)
    return client.post(path, LINES, content_type="application/x-ndjson", headers=given)


@pytest.mark.parametrize("form", [True, False])
def test_an_upload_is_done_once(make_user, monkeypatch, form) -> None:
    """A small body is still there for the second try; a form has been read, so the client has to send it again."""
    owner = make_user()
    client = factories.make_api(owner)
    project = build.draft(owner)
    before, given = Task.objects.count(), key()
    calls = killed_after(monkeypatch, "add_tasks")
    first = imported(client, project, given, form=form)
    if form:
        assert is_unavailable(first, NOT_KNOWN)
        assert Task.objects.count() == before
        first = imported(client, project, given, form=form)
    assert first.status_code == 201
    again = imported(client, project, given, form=form)
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert len(calls) == 2
    assert Task.objects.count() == before + 50
    connection.close()


def become_read_only() -> None:
    """As when the server this session is with has become a standby: it stands, and refuses to write."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")


def test_a_server_that_has_become_a_standby_is_left(client) -> None:
    become_read_only()
    assert client.post(PROJECTS, DUCKS, headers=key()).status_code == 201
    become_read_only()
    assert is_unavailable(client.post(PROJECTS, DUCKS), NOTHING_DONE)
    assert client.post(PROJECTS, DUCKS).status_code == 201


def test_no_connection_left(client, monkeypatch) -> None:
    monkeypatch.setattr(trouble, "PATIENCE", 0.3)
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS crowded")
        cursor.execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    try:
        with setting("USER", "crowded"):
            assert is_unavailable(client.get(PROJECTS), NOTHING_DONE)
            assert is_unavailable(client.post(PROJECTS, DUCKS), NOTHING_DONE)
            assert is_unavailable(client.post(PROJECTS, DUCKS, headers=key()), NOTHING_DONE)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE crowded")


def test_a_call_with_a_key_waits_until_the_server_is_back(client, nowhere, monkeypatch) -> None:
    """The call comes while there is no server, and one comes up meanwhile."""
    host, original, refused = connection.settings_dict["HOST"], connection.get_new_connection, []

    def come_up_after_three(parameters: dict[str, Any]) -> Any:
        try:
            return original(parameters)
        except psycopg2.OperationalError:
            refused.append(1)
            if len(refused) == 3:
                connection.settings_dict["HOST"] = host
            raise

    monkeypatch.setattr(connection, "get_new_connection", come_up_after_three)
    with setting("HOST", nowhere):
        assert client.post(PROJECTS, DUCKS, headers=key()).status_code == 201
    assert len(refused) == 3
    assert Project.objects.count() == 1


@pytest.mark.parametrize("order", ["dead first", "dead last"])
def test_of_several_hosts_the_one_that_answers_is_taken(client, nowhere, order) -> None:
    hosts = [nowhere, connection.settings_dict["HOST"]]
    with setting("HOST", ",".join(hosts if order == "dead first" else reversed(hosts))):
        assert client.get(PROJECTS).status_code == 200


PAGES = ["/accounts/login/", "/accounts/signup/", "/oauth/authorize", "/admin/login/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_that_it_will_be_back(client, nowhere, path) -> None:
    client = factories.ApiClient()
    client.raise_request_exception = False
    client.cookies["sessionid"] = "x" * 32
    with setting("HOST", nowhere):
        response = client.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 503
    assert response["Retry-After"] == "1"
    assert "back in a moment" in response.text
    assert "Traceback" not in response.text
    assert nowhere not in response.text


def test_programs_at_oauth_get_a_problem(client, nowhere) -> None:
    client = factories.ApiClient()
    client.raise_request_exception = False
    with setting("HOST", nowhere):
        form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "guildhall"}
        response = client.post("/oauth/token", form, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 503
    assert response["Retry-After"] == "1"
    assert nowhere not in response.text


def test_a_deadlock_is_broken_for_who_has_a_key(together, make_user, monkeypatch) -> None:
    """Two calls that lock the same rows in opposite orders: the one that PostgreSQL ends is done again."""
    user = make_user()
    token = factories.make_token(user)
    first, second = (build.draft(user) for _ in range(2))
    met = threading.Barrier(2)
    original = services.create_project

    def crossing(**given: Any) -> Any:
        order = [first, second] if given["fields"]["title"] == "A" else [second, first]
        Project.objects.select_for_update().get(id=order[0].id)
        if not met.broken:
            with suppress(threading.BrokenBarrierError):
                met.wait(5)
        Project.objects.select_for_update().get(id=order[1].id)
        met.abort()
        return original(**given)

    monkeypatch.setattr(services, "create_project", crossing)

    def call(title: str) -> Callable[[], int]:
        def post() -> int:
            caller = factories.ApiClient(headers={"Authorization": f"Bearer {token}"})
            return caller.post(PROJECTS, {"title": title}, headers=key()).status_code

        return post

    assert together(call("A"), call("B")) == [201, 201]


def test_tries_pause_longer_and_longer_within_the_patience() -> None:
    started = time.monotonic()
    assert len(list(trouble.tries(0))) == 1
    count = len(list(trouble.tries(0.2)))
    assert 2 <= count <= 4
    assert time.monotonic() - started < 5
