"""The results API: downloads, summaries, worker quality; who may have them, and what they cost."""

import csv
import io
import json
import tracemalloc
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.accounts.models import User
from api.projects.models import Project, Task
from tests.factories import make_api, make_user
from tests.results import build
from tests.work.build import published_project

pytestmark = pytest.mark.django_db


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


class Requester:
    """The owner of a project, at the results API."""

    def __init__(self, project: Project, user: User) -> None:
        self.api = make_api(user, ["projects:read"])
        self.base = f"/api/v1/projects/{project.id}/results"

    def get(self, path: str = "", **query: str) -> Any:
        return self.api.get(self.base + path, query)

    def table(self, **query: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(body(self.get(**query)).decode(), newline="")))

    def lines(self, **query: str) -> list[Any]:
        return [json.loads(line) for line in body(self.get(format="jsonl", **query)).splitlines()]


@pytest.fixture
def owner() -> User:
    return make_user("Rita")


@pytest.fixture
def project(owner: User) -> Project:
    return published_project(owner, tasks=4, answer_schema=build.LABEL_SCHEMA)


@pytest.fixture
def requester(owner: User, project: Project) -> Requester:
    return Requester(project, owner)


@pytest.mark.parametrize(("name", "majority", "dawid_skene", "ties"), [("duck", 82, 96, 0), ("dog", 660, 680, 50)])
def test_real_answers_come_out_right(owner: User, name: str, majority: int, dawid_skene: int, ties: int) -> None:
    requester = Requester(build.real_project(owner, name), owner)
    by_majority = requester.get("/summary", aggregate="majority", key="label").json()
    assert by_majority["gold"] == {"tasks": by_majority["tasks"], "right": majority}
    assert by_majority["ties"] == ties
    assert by_majority["iterations"] is None
    model = requester.get("/summary", aggregate="dawid_skene", key="label").json()
    assert model["gold"]["right"] == dawid_skene
    assert model["converged"] is True
    assert model["iterations"] > 1
    assert model["log_likelihood"] < 0
    assert sum(model["priors"].values()) == pytest.approx(1)
    assert len(model["labels"]) == min(200, model["tasks"])
    assert sum(model["distribution"].values()) == model["tasks"]

    with (build.DATA / "expected" / f"{name}.csv").open(newline="") as file:
        crowdkit = {row["task"]: row["dawid_skene"] for row in csv.DictReader(file)}
    table = requester.table(aggregate="dawid_skene", key="label")
    assert {row["key"]: row["label"] for row in table} == crowdkit
    assert sum(row["label"] == row["gold"] for row in table) == dawid_skene
    lines = requester.lines(aggregate="dawid_skene", key="label")
    assert [line["label"] for line in lines] == [row["label"] for row in table]
    assert len(requester.table()) == model["answers"]


def test_worker_quality(owner: User) -> None:
    requester = Requester(build.real_project(owner, "duck"), owner)
    workers = requester.get("/workers", aggregate="dawid_skene", key="label", limit="200").json()
    assert len(workers) == 39
    first = workers[0]
    assert first["answers"] == 108
    assert first["gold"]["of"] == 108
    assert set(first["confusion"]) == {"0", "1"}
    assert all(sum(row.values()) == pytest.approx(1) for row in first["confusion"].values())
    best = max(workers, key=lambda worker: worker["accuracy"])
    assert best["gold"]["right"] / best["gold"]["of"] > 0.75
    by_majority = requester.get("/workers", aggregate="majority", key="label").json()
    assert by_majority[0]["accuracy"] is None
    assert by_majority[0]["confusion"] is None
    assert 0 < by_majority[0]["agreement"] <= 1


def test_workers_come_in_pages(owner: User) -> None:
    requester = Requester(build.real_project(owner, "duck"), owner)
    whole = requester.get("/workers", key="label", limit="200").json()
    address, found = f"{requester.base}/workers?key=label&limit=15", []
    while address:
        response = requester.api.get(address)
        found += response.json()
        address = response.get("Link", "").partition(">")[0].lstrip("<")
    assert found == whole
    bad = requester.get("/workers", key="label", cursor="WyJ4Il0")
    assert (bad.status_code, bad.json()["code"]) == (400, "invalid_cursor")


def test_a_raw_row_has_every_key_of_answer_and_input(project: Project, requester: Requester) -> None:
    Task.objects.filter(project=project, position=1).update(
        gold={"label": "2"}, input={"n": 1, "url": "https://example.org/1"}
    )
    worker = build.worker_of(project, "K7Q2M9XD")
    (assignment,) = build.give_answers(project, [(1, worker, {"label": "2", "sure": True, "why": ["it is", "so"]})])
    (row,) = requester.table()
    task = Task.objects.get(project=project, position=1)
    assert row == {
        "assignment": str(assignment.id),
        "task": str(task.id),
        "position": "1",
        "key": "t1",
        "worker": "K7Q2M9XD",
        "state": "submitted",
        "submitted_at": assignment.submitted_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "seconds": "20.0",
        "reward": "15",
        "currency": "USD",
        "answer.sure": "true",
        "answer.label": "2",
        "answer.why": '["it is", "so"]',
        "input.n": "1",
        "input.url": "https://example.org/1",
        "input_other": "",
        "gold": '{"label": "2"}',
    }
    (line,) = requester.lines()
    assert line == {
        "assignment": str(assignment.id),
        "task": str(task.id),
        "position": 1,
        "key": "t1",
        "worker": "K7Q2M9XD",
        "state": "submitted",
        "submitted_at": row["submitted_at"],
        "seconds": 20.0,
        "reward": {"amount": 15, "currency": "USD"},
        "answer": {"label": "2", "sure": True, "why": ["it is", "so"]},
        "input": {"n": 1, "url": "https://example.org/1"},
        "gold": {"label": "2"},
    }


def test_keys_that_no_schema_names_are_not_lost(owner: User) -> None:
    project = published_project(owner, tasks=2, answer_schema={"type": "object"}, input_schema={"type": "object"})
    build.give_answers(project, [(0, build.worker_of(project, "a"), {"seen": "x", "odd key": 1.50})])
    (row,) = Requester(project, owner).table()
    assert (row["answer.seen"], row["answer.odd key"], row["answer_other"]) == ("x", "1.5", "")
    assert row["input.n"] == "0"


def test_formulas_are_escaped_and_numbers_are_not(project: Project, requester: Requester) -> None:
    texts = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "-3.5", 'say "a,b"\r\nc']
    worker = build.worker_of(project, "a")
    schema = {"type": "object", "properties": {"=text": {"type": "string"}}, "additionalProperties": False}
    other = published_project(User.objects.get(id=project.collective_id), tasks=len(texts), answer_schema=schema)
    build.give_answers(other, [(n, worker, {"=text": text}) for n, text in enumerate(texts)])
    table = Requester(other, User.objects.get(id=project.collective_id)).table()
    assert [row["answer.=text"] for row in table] == [
        *("'" + text for text in texts[:5]),
        "-3.5",
        'say "a,b"\r\nc',
    ]


def test_a_header_that_would_be_a_formula_is_escaped_too(owner: User) -> None:
    project = published_project(owner, tasks=1, answer_schema=build.LABEL_SCHEMA)
    build.give_answers(project, [(0, build.worker_of(project, "=1+1"), {"label": "0"})])
    assert Requester(project, owner).table()[0]["worker"] == "'=1+1"


def test_which_states_count(project: Project, requester: Requester) -> None:
    worker = build.worker_of(project, "a")
    for position, state in enumerate(["accepted", "submitted", "rejected", "sent_back"]):
        build.give_answers(project, [(position, worker, {"label": "1"})], state=state)
    other = build.worker_of(project, "b")
    build.give_answers(project, [(0, other, None)], state="claimed", submitted_at=None)
    build.give_answers(project, [(1, other, None)], state="returned", submitted_at=None)
    assert [row["state"] for row in requester.table()] == ["accepted", "submitted"]
    assert [row["state"] for row in requester.table(state="accepted")] == ["accepted"]
    assert [row["state"] for row in requester.table(state="rejected,accepted")] == ["rejected", "accepted"]
    assert len(requester.table(state="all")) == 4
    assert requester.get("/summary", key="label", state="all").json()["tasks"] == 4
    assert requester.get("/summary", key="label").json()["tasks"] == 2
    refused = requester.get(state="claimed")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "state"


def test_ties_are_told(project: Project, requester: Requester) -> None:
    a, b, c = (build.worker_of(project, name) for name in "abc")
    build.give_answers(
        project,
        [
            (2, a, {"label": "3"}),
            (2, b, {"label": "1"}),
            (0, a, {"label": "2"}),
            (0, b, {"label": "2"}),
            (0, c, {"label": "0"}),
        ],
    )
    summary = requester.get("/summary", aggregate="majority", key="label").json()
    assert summary["ties"] == 1
    assert [(each["position"], each["label"], each["tie"]) for each in summary["labels"]] == [
        (0, "2", None),
        (2, "1", ["1", "3"]),
    ]
    table = requester.table(aggregate="majority", key="label")
    assert [(row["position"], row["label"], row["tie"], row["confidence"], row["answers"]) for row in table] == [
        ("0", "2", "", "0.666667", "3"),
        ("2", "1", "1 | 3", "0.5", "2"),
    ]
    lines = requester.lines(aggregate="majority", key="label")
    assert [line["tie"] for line in lines] == [None, ["1", "3"]]
    assert lines[0]["input"] == {"n": 0}


def test_any_key_can_be_the_label(project: Project, requester: Requester) -> None:
    worker = build.worker_of(project, "a")
    build.give_answers(project, [(0, worker, {"label": "2", "sure": True, "why": ["a"]}), (1, worker, {"sure": False})])
    summary = requester.get("/summary", key="sure").json()
    assert summary["keys"] == ["sure", "label"]
    assert summary["classes"] == ["false", "true"]
    assert [row["label"] for row in requester.table(aggregate="majority", key="why")] == ['["a"]']
    assert requester.get("/summary").json()["key"] == "sure"
    assert [row["key"] for row in requester.table(aggregate="majority", key="label")] == ["t0"]


def test_a_key_that_answers_do_not_have_is_refused(project: Project, requester: Requester) -> None:
    for response in (
        requester.get("/summary", key="colour"),
        requester.get("/workers", key="colour"),
        requester.get(aggregate="majority", key="colour"),
    ):
        assert response.status_code == 400
        assert response.json()["code"] == "unknown_key"
        assert "their keys: why, sure, label." in response.json()["detail"]


def test_too_many_labels_for_dawid_skene_are_refused_before_anything_is_sent(owner: User) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "additionalProperties": False}
    project = published_project(owner, tasks=201, answer_schema=schema)
    worker = build.worker_of(project, "a")
    build.give_answers(project, [(n, worker, {"text": f"text {n}"}) for n in range(201)])
    requester = Requester(project, owner)
    refused = requester.get(aggregate="dawid_skene", key="text")
    assert (refused.status_code, refused.json()["code"]) == (400, "too_many_labels")
    assert len(requester.table(aggregate="majority", key="text")) == 201


def test_a_project_without_answers(project: Project, requester: Requester) -> None:
    assert requester.table() == []
    assert body(requester.get()).decode().startswith("assignment,task,position,key,worker,")
    assert requester.lines() == []
    assert requester.table(aggregate="dawid_skene") == []
    summary = requester.get("/summary", aggregate="dawid_skene").json()
    assert (summary["tasks"], summary["answers"], summary["labels"], summary["alpha"]) == (0, 0, [], None)
    assert requester.get("/workers").json() == []


def test_a_draft_without_a_schema(owner: User) -> None:
    project = Project.objects.create(collective_id=owner.id, title="New", currency="USD", created_by=owner)
    requester = Requester(project, owner)
    assert requester.table() == []
    assert requester.get("/summary").json()["code"] == "unknown_key"


@pytest.mark.parametrize("path", ["", "/summary", "/workers"])
def test_only_members_see_results(project: Project, requester: Requester, path: str) -> None:
    address = requester.base + path
    assert make_api().get(address).status_code == 401
    assert make_api(make_user("Worker")).get(address).status_code == 403
    assert make_api(User.objects.get(id=project.collective_id), ["work:read"]).get(address).status_code == 403
    assert requester.api.get(address.replace(str(project.id), str(uuid4()))).status_code == 404
    Project.objects.filter(id=project.id).update(state="draft")
    assert make_api(make_user("Stranger")).get(address).status_code == 404
    assert requester.api.get(address).status_code == 200


def test_what_a_query_may_not_say(requester: Requester) -> None:
    for query in ({"format": "xml"}, {"aggregate": "mean"}, {"colour": "1"}):
        assert requester.get(**query).status_code == 400


def test_a_download_is_an_attachment_with_a_name(project: Project, requester: Requester) -> None:
    response = requester.get(aggregate="majority", format="jsonl")
    assert response["Content-Disposition"] == f'attachment; filename="results-{project.id}-majority.jsonl"'
    assert response["Content-Type"] == "application/x-ndjson"
    assert requester.get()["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "query", "most"),
    [
        ("", {}, 10),
        ("", {"aggregate": "dawid_skene"}, 12),
        ("/summary", {}, 12),
        ("/workers", {}, 10),
    ],
)
def test_the_queries_do_not_grow_with_the_answers(
    project: Project, requester: Requester, path: str, query: dict[str, str], most: int
) -> None:
    counts = []
    for position in range(2):
        build.give_answers(project, [(position, build.worker_of(project, f"w{position}"), {"label": "1"})])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            body(requester.get(path, **{"key": "label", **query}))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= most


def test_an_export_of_many_answers_takes_the_memory_of_few(project: Project, requester: Requester) -> None:
    build.many_answers(project, build.worker_of(project, "a"), 30_000)
    for query in ({}, {"format": "jsonl"}):
        sizes = []
        tracemalloc.start()
        for piece in requester.get(**query).streaming_content:
            sizes.append(len(piece))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sum(sizes) > 5_000_000
        assert max(sizes) < 300_000
        assert peak < 8_000_000


def test_a_download_that_is_broken_off_ends_its_transaction(project: Project, requester: Requester) -> None:
    build.many_answers(project, build.worker_of(project, "a"), 5_000)
    before = list(connection.savepoint_ids)
    response = requester.get(format="jsonl")
    next(iter(response.streaming_content))
    assert len(connection.savepoint_ids) == len(before) + 1
    response.close()
    assert connection.savepoint_ids == before


def test_an_answer_with_thousands_of_keys_does_not_break_the_download(owner: User) -> None:
    project = published_project(owner, tasks=1, answer_schema={"type": "object"})
    many = {f"k{n:04}": str(n) for n in range(3000)}
    build.give_answers(project, [(0, build.worker_of(project, "MANY"), many)])
    (row,) = Requester(project, owner).table()
    named = {key.removeprefix("answer."): value for key, value in row.items() if key.startswith("answer.")}
    assert {**named, **json.loads(row["answer_other"])} == many
    assert len(row) < 1600
