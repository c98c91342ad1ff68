"""`Idempotency-Key`: done once, answered the same, whoever asks again and when."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from api.core import idempotency
from api.core.models import IdempotencyKey
from api.projects.models import Project, Task
from tests.factories import make_api, make_user
from tests.projects import build

KEY = {"Idempotency-Key": "0d9c2f6e-6f0c-4b8e"}
PROJECTS = "/api/v1/projects"


@pytest.fixture
def ana(db):
    return make_user("Ana")


def test_the_same_key_and_body_get_the_same_answer(ana, api) -> None:
    client = api(ana)
    first = client.post(PROJECTS, {"title": "Ducks"}, headers=KEY)
    again = client.post(PROJECTS, {"title": "Ducks"}, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert (first.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert Project.objects.count() == 1


def test_another_token_of_the_user_may_ask_again(ana, api) -> None:
    first = api(ana).post(PROJECTS, {"title": "Ducks"}, headers=KEY)
    assert api(ana).post(PROJECTS, {"title": "Ducks"}, headers=KEY).content == first.content


def test_another_users_key_is_another_key(ana, api, make_user) -> None:
    api(ana).post(PROJECTS, {"title": "Ducks"}, headers=KEY)
    theirs = api(make_user("Ben")).post(PROJECTS, {"title": "Geese"}, headers=KEY)
    assert (theirs.status_code, theirs.json()["title"]) == (201, "Geese")


def test_another_applications_key_is_another_key(ana, api) -> None:
    """The answer may hold what only the application that asked was meant to see."""
    first = api(ana).post(PROJECTS, {"title": "Ducks"}, headers=KEY)
    theirs = api(ana, client_id="another").post(PROJECTS, {"title": "Ducks"}, headers=KEY)
    assert (first.status_code, theirs.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in theirs
    assert theirs.json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    ("path", "body"),
    [(PROJECTS, {"title": "Geese"}), (f"{PROJECTS}?x=1", {"title": "Ducks"}), (f"{PROJECTS}/check", {})],
    ids=["body", "query", "address"],
)
def test_another_request_under_the_same_key_is_refused(ana, api, path, body) -> None:
    client = api(ana)
    client.post(PROJECTS, {"title": "Ducks"}, headers=KEY)
    refused = client.post(path, body, headers=KEY)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert Project.objects.count() == 1


def test_a_refusal_is_an_answer_and_is_kept(ana, api) -> None:
    """Also when it would no longer be refused: the caller was told, and must choose a new key."""
    client = api(ana)
    project = build.draft(ana)
    publish = f"{PROJECTS}/{project.id}/publish"
    first = client.post(publish, headers=KEY)
    assert (first.status_code, first.json()["code"]) == (409, "insufficient_funds")
    build.give_money(ana, 1000)
    again = client.post(publish, headers=KEY)
    assert (again.status_code, again.content) == (409, first.content)
    assert again["Content-Type"] == "application/problem+json"
    assert client.post(publish, headers={"Idempotency-Key": "another-key"}).status_code == 200


def test_what_was_done_before_a_refusal_is_not_done(ana, api) -> None:
    """The key's transaction commits with the refusal in it, and with nothing else."""
    client = api(ana)
    project = build.draft(ana)
    client.post(f"{PROJECTS}/{project.id}/publish", headers=KEY)
    assert Project.objects.get().state == "draft"
    assert IdempotencyKey.objects.get().status == 409


def test_a_crash_is_not_kept(ana, api, monkeypatch) -> None:
    client = api(ana)
    client.raise_request_exception = False

    def crash(**_):
        build.draft(ana)
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patch:
        patch.setattr("api.projects.services.create_project", crash)
        failed = client.post(PROJECTS, {"title": "Ducks"}, headers=KEY)
    assert (failed.status_code, failed.json()["code"]) == (500, "server_error")
    assert not Project.objects.exists()
    assert client.post(PROJECTS, {"title": "Ducks"}, headers=KEY).status_code == 201


def test_a_body_that_is_not_json_leaves_the_key_free(ana, api) -> None:
    client = api(ana)
    broken = client.post(PROJECTS, b"{", "application/json", headers=KEY)
    assert (broken.status_code, IdempotencyKey.objects.count()) == (400, 0)
    assert client.post(PROJECTS, {"title": "Ducks"}, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["short", "x" * 129, "with space in it", "with-ümlaut-in-it", "a\tb-and-more"])
def test_keys_that_are_none(ana, api, key) -> None:
    refused = api(ana).post(PROJECTS, {"title": "Ducks"}, headers={"Idempotency-Key": key})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "Idempotency-Key")
    assert not Project.objects.exists()


def test_reading_takes_no_key(ana, api) -> None:
    client = api(ana)
    client.get(PROJECTS, headers=KEY)
    assert not IdempotencyKey.objects.exists()


def test_answers_without_a_body_are_kept_too(ana, api) -> None:
    client = api(ana)
    project = build.draft(ana)
    for replayed in (None, "true"):
        gone = client.delete(f"{PROJECTS}/{project.id}", headers=KEY)
        assert (gone.status_code, gone.content, gone.get("Idempotency-Replayed")) == (204, b"", replayed)


@pytest.mark.parametrize("size", [10, 60_000], ids=["small", "streamed"])
def test_an_upload_is_told_apart_by_all_of_it(ana, api, size) -> None:
    """Past a megabyte the body is read as a stream; its last byte counts all the same."""
    client = api(ana)
    project = build.draft(ana, tasks=0)
    lines = b"name\n" + b"".join(b"duck number %d\n" % n for n in range(size))
    send = lambda body: client.post(f"{PROJECTS}/{project.id}/tasks", body, "text/csv", headers=KEY)  # noqa: E731
    first, again = send(lines), send(lines)
    assert (first.status_code, first.content) == (201, again.content)
    assert Task.objects.count() == size
    other = send(lines[:-2] + b"x\n")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Task.objects.count() == size


def test_duplicates_at_once_wait_and_get_the_one_answer(together) -> None:
    ana = make_user("Ana")
    clients = [make_api(ana) for _ in range(8)]
    answers = together(*[lambda c=client: c.post(PROJECTS, {"title": "Ducks"}, headers=KEY) for client in clients])
    assert [each.status_code for each in answers] == [201] * 8
    assert len({each.content for each in answers}) == 1
    assert sorted(each.get("Idempotency-Replayed", "") for each in answers) == [""] + ["true"] * 7
    assert Project.objects.count() == 1


def test_different_bodies_at_once_under_one_key(together) -> None:
    ana = make_user("Ana")
    clients = [make_api(ana) for _ in range(4)]
    answers = together(
        *[lambda c=c, n=n: c.post(PROJECTS, {"title": f"Ducks {n}"}, headers=KEY) for n, c in enumerate(clients)]
    )
    assert sorted(each.status_code for each in answers) == [201, 422, 422, 422]
    assert Project.objects.count() == 1


def test_money_moves_once_though_the_answer_was_lost(together) -> None:
    ana = make_user("Ana")
    build.give_money(ana, 1000)
    purse = make_api(ana).get("/api/v1/purses").json()[0]
    body = {"amount": {"amount": 600, "currency": "USD"}, "destination": {"method": "bank", "details": "PT50"}}
    clients = [make_api(ana) for _ in range(4)]
    path = f"/api/v1/purses/{purse['id']}/payouts"
    answers = together(*[lambda c=c: c.post(path, body, headers=KEY) for c in clients])
    assert {each.status_code for each in answers} == {201}
    assert build.purse_left(ana) == 400


def test_old_keys_are_forgotten_and_young_ones_are_not(ana, api) -> None:
    client = api(ana)
    for key in ("the-first-key", "the-second-key"):
        client.post(PROJECTS, {"title": "Ducks"}, headers={"Idempotency-Key": key})
    oldest = IdempotencyKey.objects.order_by("created_at", "digest")[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_idempotencykey SET created_at = %s WHERE digest = %s",
            [timezone.now() - idempotency.KEPT_FOR - timedelta(seconds=1), bytes(oldest.digest)],
        )
    assert idempotency.forget_old() == 1
    assert idempotency.forget_old() == 0
    assert IdempotencyKey.objects.count() == 1
