"""The work API: the feed, claiming, drafts, submitting, giving back, and a worker's own figures."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from api.projects import services as projects
from api.projects.models import Project, ProjectStats, Task
from api.reviews import services as reviews
from api.work import services
from api.work.models import Assignment, Move, Participation
from api.work.selectors import work_summary
from tests.factories import make_user
from tests.projects.build import draft, published
from tests.work.build import published_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker():
    return make_user("Worker")


@pytest.fixture
def client(worker, api):
    return api(worker)


def usd(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "USD"}


def claim(client, project) -> dict[str, Any]:
    response = client.post(f"/api/v1/projects/{project.id}/claim")
    assert response.status_code == 201, response.content
    return response.json()


def submit(client, assignment_id, answer=None, **more):
    body = {"answer": answer or {"label": "duck"}, **more}
    return client.post(f"/api/v1/assignments/{assignment_id}/submit", body)


def refused(response, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code), response.content


def overdue(assignment_id, by: timedelta) -> None:
    Assignment.objects.filter(id=assignment_id).update(expires_at=timezone.now() - by)


# The feed


def feed(client, query: str = "") -> list[str]:
    response = client.get(f"/api/v1/feed?{query}")
    assert response.status_code == 200, response.content
    return [card["title"] for card in response.json()]


def offer(title: str, **fields: Any) -> Project:
    """A published project whose progress is as the roll-up would have it."""
    stats = fields.pop("stats", {})
    project = published_project(make_user(f"{title} Ltd"), title=title, **fields)
    Project.objects.filter(id=project.id).update(title=title)
    ProjectStats.objects.filter(project=project).update(**stats)
    return project


def test_a_card_says_what_the_work_is_worth(client):
    project = offer(
        "Ducks",
        tasks=5,
        places=2,
        reward=20,
        keywords=["birds"],
        stats={
            "median_seconds": 30.0,
            "hourly_wage": 2400,
            "accepted": 39,
            "rejected": 1,
            "median_review_seconds": 120.0,
        },
    )
    claim(client, project)
    (card,) = client.get("/api/v1/feed").json()
    assert card["requester"] == {"id": str(project.collective_id), "name": "Ducks Ltd"}
    assert (card["reward"], card["median_seconds"], card["hourly_wage"]) == (usd(20), 30.0, usd(2400))
    assert (card["hourly_wage_measured"], card["review_seconds"]) == (True, 120.0)
    assert (card["rejection_rate"], card["decisions_counted"]) == (0.025, 40)
    assert (card["claim_lasts"], card["keywords"], card["mine"]) == (900, ["birds"], 1)
    assert card["tasks_left"] <= 4


def test_before_anybody_has_measured_the_wage_is_what_is_promised(client):
    offer("Promised", reward=10, expected_minutes=0.5)
    offer("Unknown", reward=10)
    cards = {card["title"]: card for card in client.get("/api/v1/feed").json()}
    assert cards["Promised"]["hourly_wage"] == usd(1200)
    assert cards["Unknown"]["hourly_wage"] is None
    assert {card["hourly_wage_measured"] for card in cards.values()} == {False}
    assert {card["review_seconds"] for card in cards.values()} == {None}
    assert {card["rejection_rate"] for card in cards.values()} == {None}


def test_only_published_projects_of_others_with_something_left_are_in_the_feed(client, worker):
    offer("Open")
    for state in ("paused", "closed", "draft"):
        Project.objects.filter(id=offer(state).id).update(state=state)
    published_project(worker, title="My own")
    offer("Empty", stats={"open_places": 0})
    draft(make_user("Somebody"))
    assert feed(client) == ["Open"]


def test_what_is_exhausted_for_a_worker_goes_from_their_feed_and_comes_back(client, worker, api):
    project = offer("Ducks", tasks=2, places=2)
    limited = offer("Limited", tasks=5, max_tasks_per_worker=1)
    assert set(feed(client)) == {"Ducks", "Limited"}
    submit(client, claim(client, limited)["id"])
    assert feed(client) == ["Ducks"]
    for _ in range(2):
        submit(client, claim(client, project)["id"])
    refused(client.post(f"/api/v1/projects/{project.id}/claim"), 409, "no_task_left")
    assert feed(client) == []
    assert set(feed(api(make_user("Other")))) == {"Ducks", "Limited"}


@pytest.mark.django_db(transaction=True)
def test_a_place_given_back_brings_a_project_back_into_the_feed(api):
    worker, slow = make_user("Worker"), make_user("Slow")
    client = api(worker)
    project = published(make_user("Owner"), tasks=2, assignments_per_task=1)
    held = services.claim_next(worker_id=slow.id, project_id=project.id)
    submit(client, claim(client, project)["id"], {"label": "1"})
    refused(client.post(f"/api/v1/projects/{project.id}/claim"), 409, "no_task_left")
    projects.roll_up()
    assert feed(client) == []
    services.return_assignment(assignment_id=held.id, worker=slow)
    projects.roll_up()
    assert feed(client) == ["Ducks"]
    assert client.get(f"/api/v1/feed/{project.id}").json()["tasks_left"] == 1
    assert claim(client, project)["task"] == str(held.task_id)
    projects.roll_up()
    assert client.get(f"/api/v1/feed/{project.id}").json()["tasks_left"] == 0


def test_the_orders_of_the_feed_go_over_pages(client):
    wages = {"a": 300, "b": 100, "c": 200, "d": 200, "e": None}
    for number, (title, wage) in enumerate(wages.items()):
        places = [5, 50, 20, 20, 1][number]
        offer(title, reward=[30, 10, 20, 20, 50][number], stats={"hourly_wage": wage, "open_places": places})
    orders = {"newest": "edcba", "wage": "adcbe", "reward": "eadcb", "left": "bdcae"}
    for sort, wanted in orders.items():
        seen, following = [], f"/api/v1/feed?sort={sort}&limit=2"
        while following:
            response = client.get(following)
            seen += [card["title"] for card in response.json()]
            following = response.get("Link", "").partition(">")[0].removeprefix("<http://testserver")
        assert "".join(seen) == wanted, sort


@pytest.mark.parametrize("sort", ["newest", "wage", "reward", "left"])
@pytest.mark.parametrize(
    "values",
    [
        ["2026-01-01T00:00:00Z", "no id"],
        ["someday", str(uuid4())],
        ["", str(uuid4())],
        [None, str(uuid4())],
        [1.5, str(uuid4())],
        [2**63, str(uuid4())],
        [1, 1],
        [1],
        {"a": 1},
    ],
)
def test_a_cursor_of_another_list_is_refused(client, sort, values):
    offer("Ducks")
    cursor = base64.urlsafe_b64encode(orjson.dumps(values)).decode()
    refused(client.get(f"/api/v1/feed?sort={sort}&cursor={cursor}"), 400, "invalid_cursor")


def test_a_cursor_of_another_order_is_refused(client):
    for title in "ab":
        offer(title)
    cursors = {
        sort: client.get(f"/api/v1/feed?limit=1&sort={sort}")["Link"].partition("cursor=")[2].partition("&")[0]
        for sort in ("newest", "wage")
    }
    refused(client.get(f"/api/v1/feed?sort=wage&cursor={cursors['newest']}"), 400, "invalid_cursor")
    refused(client.get(f"/api/v1/feed?sort=newest&cursor={cursors['wage']}"), 400, "invalid_cursor")


def test_search_and_filters(client):
    offer("Count ducks", keywords=["birds"], summary="In 100% of ponds", stats={"hourly_wage": 900})
    offer("Read receipts", keywords=["text_entry"], reward=10, expected_minutes=0.5)
    offer("Nothing known", reward=0)
    assert feed(client, "q=DUCK") == ["Count ducks"]
    assert feed(client, "q=100%25") == ["Count ducks"]
    assert feed(client, "q=10%25") == []
    assert feed(client, "q=text_e") == ["Read receipts"]
    assert feed(client, "q=text%5Ce") == []
    assert feed(client, "q=receipts%20ltd") == ["Read receipts"]
    assert feed(client, "keyword=birds") == ["Count ducks"]
    assert feed(client, "keyword=bird") == []
    assert feed(client, "min_wage=901") == ["Read receipts"]
    assert set(feed(client, "min_wage=900")) == {"Count ducks", "Read receipts"}
    requester = Project.objects.get(title="Count ducks").collective_id
    assert feed(client, f"requester={requester}") == ["Count ducks"]
    assert feed(client, f"requester={uuid4()}") == []


@pytest.mark.parametrize("query", ["sort=best", "min_wage=-1", "requester=me", "limit=201", "wrong=1", "q=%00"])
def test_a_feed_that_is_not_understood_is_refused(client, query):
    assert client.get(f"/api/v1/feed?{query}").status_code == 400


def test_hidden_projects_leave_the_feed_until_they_are_shown(client, api):
    project = offer("Ducks")
    for _ in range(2):
        assert client.post(f"/api/v1/projects/{project.id}/hide").status_code == 204
    assert (feed(client), feed(client, "hidden=1")) == ([], ["Ducks"])
    assert client.get(f"/api/v1/feed/{project.id}").json()["hidden"] is True
    assert feed(api(make_user())) == ["Ducks"]
    for _ in range(2):
        assert client.delete(f"/api/v1/projects/{project.id}/hide").status_code == 204
    assert (feed(client), feed(client, "hidden=1")) == (["Ducks"], [])
    for unknown in (uuid4(), draft(make_user()).id):
        assert client.post(f"/api/v1/projects/{unknown}/hide").status_code == 404


def test_the_feed_takes_few_queries_however_many_projects(client):
    for number in range(30):
        offer(f"p{number}")
    client.get("/api/v1/feed")
    with CaptureQueriesContext(connection) as queries:
        assert len(client.get("/api/v1/feed").json()) == 30
    assert len(queries) <= 3


def test_a_preview_shows_the_project_and_never_its_gold(client):
    project = offer("Ducks")
    Task.objects.filter(project=project).update(gold={"label": "duck"})
    preview = client.get(f"/api/v1/feed/{project.id}").json()
    assert (preview["version"], preview["example_input"]) == (str(project.published_id), {"n": 0})
    assert "gold" not in orjson.dumps(preview).decode()
    version = client.get(f"/api/v1/versions/{preview['version']}").json()
    assert version["answer_schema"]["required"] == ["label"]
    for state in ("paused", "closed", "draft"):
        Project.objects.filter(id=project.id).update(state=state)
        assert client.get(f"/api/v1/feed/{project.id}").status_code == 404


# Claiming


def test_a_claim_has_all_that_is_needed_to_begin(client, worker):
    project = offer("Ducks", tasks=1)
    body = claim(client, project)
    row = Assignment.objects.get(worker=worker)
    assert (body["id"], body["task"], body["version"]) == (str(row.id), str(row.task_id), str(project.published_id))
    assert (body["state"], body["input"], body["draft"], body["reward"]) == ("claimed", {"n": 0}, None, usd(15))
    expires, late = (datetime.fromisoformat(body[name]) for name in ("expires_at", "late_until"))
    assert late - expires == django_settings.LATE_GRACE
    assert expires - datetime.fromisoformat(body["server_time"]) == timedelta(minutes=15)


def test_why_a_claim_is_refused(client, worker, api, settings):
    project = offer("Ducks", tasks=1)
    task = Task.objects.get(project=project)
    first = client.post(f"/api/v1/tasks/{task.id}/claim")
    assert first.status_code == 201
    refused(client.post(f"/api/v1/tasks/{task.id}/claim"), 409, "already_had")
    refused(client.post(f"/api/v1/projects/{project.id}/claim"), 409, "no_task_left")
    refused(api(make_user()).post(f"/api/v1/tasks/{task.id}/claim"), 409, "task_taken")
    refused(api(project.created_by).post(f"/api/v1/projects/{project.id}/claim"), 409, "own_project")
    refused(client.post(f"/api/v1/projects/{uuid4()}/claim"), 404, "not_found")
    refused(client.post(f"/api/v1/tasks/{uuid4()}/claim"), 404, "not_found")
    limited = offer("Limited", max_tasks_per_worker=1)
    claim(client, limited)
    refused(client.post(f"/api/v1/projects/{limited.id}/claim"), 409, "worker_limit")
    settings.HOLD_LIMIT = 2
    refused(client.post(f"/api/v1/projects/{offer('More').id}/claim"), 409, "hold_limit")
    Project.objects.filter(id=project.id).update(state="paused")
    refused(client.post(f"/api/v1/projects/{project.id}/claim"), 409, "project_not_open")
    hidden = draft(make_user())
    refused(client.post(f"/api/v1/projects/{hidden.id}/claim"), 404, "not_found")
    refused(client.post(f"/api/v1/tasks/{Task.objects.filter(project=hidden).first().id}/claim"), 404, "not_found")


def test_a_claim_sent_twice_with_one_key_takes_one_task(client, worker):
    project = offer("Ducks", tasks=3)
    path = f"/api/v1/projects/{project.id}/claim"
    one, two = (client.post(path, headers={"Idempotency-Key": "claim-number-1"}) for _ in range(2))
    assert (one.status_code, one.content) == (two.status_code, two.content)
    assert two["Idempotency-Replayed"] == "true"
    assert Assignment.objects.filter(worker=worker).count() == 1


# Drafts and answers


def test_a_draft_is_kept_and_replaced(client):
    held = claim(client, offer("Ducks"))
    path = f"/api/v1/assignments/{held['id']}"
    for text in ({"label": "du"}, {"label": "duck", "unknown": [1, {"a": None}]}):
        saved = client.put(f"{path}/draft", {"draft": text})
        assert saved.status_code == 200
        assert datetime.fromisoformat(saved.json()["saved_at"]).tzinfo is not None
        assert client.get(path).json()["draft"] == text
    submit(client, held["id"])
    assert client.get(path).json()["draft"] is None
    refused(client.put(f"{path}/draft", {"draft": {}}), 409, "wrong_state")


@pytest.mark.parametrize(
    "body",
    [{}, {"draft": "text"}, {"draft": None}, {"draft": []}, {"draft": {}, "state": "submitted"},
     {"draft": {"a": "x\0"}}, {"draft": {"a": "x" * 270_000}}],
)  # fmt: skip
def test_a_draft_that_cannot_be_kept_is_refused(client, body):
    held = claim(client, offer("Ducks"))
    assert client.put(f"/api/v1/assignments/{held['id']}/draft", body).status_code == 400


def test_a_draft_in_the_grace_period_is_kept_and_one_after_is_not(client):
    held = claim(client, offer("Ducks"))
    path = f"/api/v1/assignments/{held['id']}/draft"
    overdue(held["id"], timedelta(seconds=30))
    assert client.put(path, {"draft": {"label": "duck"}}).status_code == 200
    overdue(held["id"], django_settings.LATE_GRACE + timedelta(seconds=1))
    refused(client.put(path, {"draft": {"label": "no"}}), 409, "too_late")
    assert Assignment.objects.get(id=held["id"]).draft == {"label": "duck"}


def test_an_answer_is_stored_with_its_clock(client):
    held = claim(client, offer("Ducks", auto_accept_after=timedelta(days=2)))
    done = submit(client, held["id"]).json()
    assert (done["id"], done["state"], done["late"], done["next"]) == (held["id"], "submitted", False, None)
    submitted, accepts = (datetime.fromisoformat(done[name]) for name in ("submitted_at", "auto_accept_at"))
    assert accepts - submitted == timedelta(days=2)
    whole = client.get(f"/api/v1/assignments/{held['id']}").json()
    assert (whole["answer"], whole["input"]) == ({"label": "duck"}, held["input"])
    assert [(move["to"], move["by"]) for move in whole["moves"]] == [("claimed", "worker"), ("submitted", "worker")]


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        ({}, {"answer.label"}),
        ({"label": "goose"}, {"answer.label"}),
        ({"label": 1, "more": 2}, {"answer.label", "answer.more"}),
        ({"label": None}, {"answer.label"}),
    ],
)
def test_what_is_wrong_with_an_answer_is_told_by_field(client, answer, fields):
    held = claim(client, offer("Ducks"))
    response = client.post(f"/api/v1/assignments/{held['id']}/submit", {"answer": answer})
    refused(response, 400, "invalid_answer")
    named = {each["field"] for each in response.json()["errors"]}
    assert {name.removeprefix("answer.") for name in named} == {name.removeprefix("answer.") for name in fields}
    assert Assignment.objects.get(id=held["id"]).state == "claimed"


@pytest.mark.parametrize(
    "body",
    [{}, {"answer": "duck"}, {"answer": None}, {"answer": [1]}, {"answer": {"label": "duck"}, "state": "accepted"},
     {"answer": {"label": "duck"}, "next": "yes"}, {"answer": {"label": "duck"}, "next": None}, [], "x"],
)  # fmt: skip
def test_a_submission_that_is_not_understood_is_refused(client, body):
    held = claim(client, offer("Ducks"))
    response = client.post(f"/api/v1/assignments/{held['id']}/submit", orjson.dumps(body))
    assert response.status_code == 400, response.content
    assert Assignment.objects.get(id=held["id"]).state == "claimed"


def test_late_answers_are_taken_within_the_grace_period_and_not_after(client):
    project = offer("Ducks")
    held = claim(client, project)
    overdue(held["id"], django_settings.LATE_GRACE - timedelta(seconds=20))
    assert services.expire_overdue() == 0
    done = submit(client, held["id"])
    assert (done.status_code, done.json()["late"]) == (200, True)
    after = claim(client, project)
    client.put(f"/api/v1/assignments/{after['id']}/draft", {"draft": {"label": "du"}})
    overdue(after["id"], django_settings.LATE_GRACE + timedelta(seconds=1))
    refused(submit(client, after["id"]), 409, "too_late")
    assert services.expire_overdue() == 1
    refused(submit(client, after["id"]), 409, "wrong_state")
    whole = client.get(f"/api/v1/assignments/{after['id']}").json()
    assert (whole["state"], whole["draft"], whole["moves"][-1]["by"]) == ("expired", {"label": "du"}, "clock")


def test_work_that_was_claimed_is_finished_though_its_project_has_stopped(client):
    project = offer("Ducks", tasks=3)
    for state in ("paused", "closed"):
        Project.objects.filter(id=project.id).update(state="published")
        held = claim(client, project)
        Project.objects.filter(id=project.id).update(state=state)
        done = submit(client, held["id"], next=True)
        assert (done.status_code, done.json()["next"]) == (200, None)


def test_submitting_goes_straight_to_the_next_until_none_is_left(client, worker):
    project = offer("Ducks", tasks=3)
    held, seen = claim(client, project), set()
    while held:
        seen.add(held["input"]["n"])
        held = submit(client, held["id"], next=True).json()["next"]
    assert seen == {0, 1, 2}
    assert Assignment.objects.filter(worker=worker, state="submitted").count() == 3


def test_the_same_answer_twice_is_the_same_as_once_and_another_is_refused(client):
    held = claim(client, offer("Ducks"))
    one, two = submit(client, held["id"]).json(), submit(client, held["id"]).json()
    assert one == two
    assert Move.objects.filter(assignment_id=held["id"], to="submitted").count() == 1
    refused(submit(client, held["id"], {"label": "no duck"}), 409, "wrong_state")


def test_a_submission_sent_twice_with_one_key_claims_one_next_task(client, worker):
    held = claim(client, offer("Ducks", tasks=5))
    path, body = f"/api/v1/assignments/{held['id']}/submit", {"answer": {"label": "duck"}, "next": True}
    one, two = (client.post(path, body, headers={"Idempotency-Key": "submit-number-1"}) for _ in range(2))
    assert one.json() == two.json()
    assert Assignment.objects.filter(worker=worker).count() == 2
    other = client.post(path, {"answer": {"label": "no duck"}}, headers={"Idempotency-Key": "submit-number-1"})
    refused(other, 422, "idempotency_key_reused")


# Giving back


def test_skipping_gives_back_and_takes_another(client, worker):
    project = published(make_user("Owner"), tasks=2, assignments_per_task=1)
    held = claim(client, project)
    following = client.post(f"/api/v1/assignments/{held['id']}/skip").json()["next"]
    assert following["task"] != held["task"]
    assert client.post(f"/api/v1/assignments/{following['id']}/skip").json() == {"next": None}
    assert Participation.objects.get(worker=worker).taken == 0
    whole = client.get(f"/api/v1/assignments/{held['id']}").json()
    assert (whole["state"], whole["moves"][-1]["why"]) == ("returned", "skipped")


def test_returning_is_the_same_twice_and_refused_once_submitted(client):
    project = published(make_user("Owner"), tasks=2, assignments_per_task=1)
    held = claim(client, project)
    path = f"/api/v1/assignments/{held['id']}/return"
    for _ in range(2):
        done = client.post(path, {"reason": "The photo does not load."})
        assert (done.status_code, done.json()["state"]) == (200, "returned")
    moves = client.get(f"/api/v1/assignments/{held['id']}").json()["moves"]
    assert [move["why"] for move in moves] == ["", "The photo does not load."]
    refused(submit(client, held["id"], {"label": "1"}), 409, "wrong_state")
    other = claim(client, project)
    submit(client, other["id"], {"label": "1"})
    refused(client.post(f"/api/v1/assignments/{other['id']}/return"), 409, "wrong_state")
    refused(client.post(f"/api/v1/assignments/{other['id']}/skip"), 409, "wrong_state")


# One's own work


def test_my_work_is_listed_and_filtered(client, worker):
    project, other = offer("Ducks", tasks=5), offer("Geese", tasks=5)
    ids = [claim(client, each)["id"] for each in (project, project, other)]
    submit(client, ids[1])

    def listed(query: str = "") -> list[str]:
        return [row["id"] for row in client.get(f"/api/v1/assignments?{query}").json()]

    assert listed() == ids[::-1]
    assert listed("state=claimed") == [ids[2], ids[0]]
    assert listed("state=claimed&state=submitted") == ids[::-1]
    assert listed(f"project={other.id}") == [ids[2]]
    assert listed("limit=1") == [ids[2]]
    row = client.get("/api/v1/assignments").json()[0]
    assert (row["title"], row["requester"]["name"], row["reward"]) == ("Geese", "Geese Ltd", usd(15))
    assert not {"input", "answer", "draft"} & row.keys()
    assert client.get("/api/v1/assignments?state=ugly").status_code == 400


def test_my_work_takes_few_queries_however_long(client, worker):
    project = offer("Ducks", tasks=60)
    for _ in range(60):
        taken = services.claim_next(worker_id=worker.id, project_id=project.id)
        services.submit_answer(assignment_id=taken.id, worker_id=worker.id, answer={"label": "duck"})
    with CaptureQueriesContext(connection) as queries:
        assert len(client.get("/api/v1/assignments?limit=60").json()) == 60
    assert len(queries) <= 3


def test_others_do_not_see_or_touch_my_work(client, api):
    project = offer("Ducks")
    held = claim(client, project)
    path = f"/api/v1/assignments/{held['id']}"
    for someone in (api(make_user()), api(project.created_by)):
        assert someone.get("/api/v1/assignments").json() == []
        refused(someone.get(path), 404, "not_found")
        refused(someone.put(f"{path}/draft", {"draft": {}}), 404, "not_found")
        refused(submit(someone, held["id"]), 404, "not_found")
        refused(someone.post(f"{path}/return"), 404, "not_found")
        refused(someone.post(f"{path}/skip"), 404, "not_found")
    assert Assignment.objects.get(id=held["id"]).state == "claimed"


def test_a_decision_is_told_without_the_reviewers_name(client, worker):
    owner = make_user("Ludovica Featherstone")
    project = published(owner)
    held = claim(client, project)
    submit(client, held["id"], {"label": "1"})
    reviews.reject_assignment(
        assignment_id=held["id"], reviewer=owner, category="wrong", reason="This is a goose, sir."
    )
    whole = client.get(f"/api/v1/assignments/{held['id']}").json()
    assert whole["decision"] == {"category": "wrong", "comment": "This is a goose, sir.", "by_clock": False}
    assert whole["moves"][-1]["by"] == "requester"
    moves = orjson.dumps(whole["moves"]).decode()
    assert "Ludovica" not in moves
    assert owner.email not in orjson.dumps(whole).decode()


# Figures


def accepted(worker, project, *, at: datetime, seconds: int = 36, reward: int = 10) -> None:
    taken = services.claim_next(worker_id=worker.id, project_id=project.id)
    Assignment.objects.filter(id=taken.id).update(
        state="accepted",
        reward=reward,
        answer={"label": "duck"},
        claimed_at=at - timedelta(seconds=seconds),
        submitted_at=at,
        decided_at=at,
    )


def test_the_summary_adds_up(client, worker):
    project, other = offer("Ducks", tasks=9), offer("Geese", tasks=9)
    now = timezone.now()
    for days in (0, 1, 29, 30, 400):
        accepted(worker, project, at=now - timedelta(days=days))
    for _ in range(2):
        submit(client, claim(client, project)["id"])
    claim(client, other)
    body = client.get("/api/v1/work/summary").json()
    assert [body[name] for name in ("claimed", "sent_back", "submitted", "accepted", "rejected")] == [1, 0, 2, 5, 0]
    assert (body["earned"]["total"], body["earned"]["pending"]) == (usd(50), usd(30))
    assert body["earned"]["today"] == usd(10)
    assert body["hourly_wage"] == usd(1000)
    on = [(now - timedelta(days=days)).date().isoformat() for days in (29, 1, 0)]
    assert [(day["on"], day["earned"], day["accepted"], day["seconds"]) for day in body["by_day"]] == [
        (each, usd(10), 1, 36.0) for each in on
    ]
    by_title = {each["title"]: each for each in body["by_project"]}
    assert (by_title["Ducks"]["accepted"], by_title["Ducks"]["pending"]) == (5, 2)
    assert (by_title["Ducks"]["earned"], by_title["Ducks"]["hourly_wage"]) == (usd(50), usd(1000))
    assert (by_title["Geese"]["earned"], by_title["Geese"]["hourly_wage"]) == (usd(0), None)


def test_a_day_is_a_day_of_the_workers_own_timezone(worker, api):
    """At any instant it is tomorrow already on Kiritimati (UTC+14), or still yesterday on Pago Pago (UTC-11)."""
    project = offer("Ducks", tasks=3)
    now = timezone.now()
    accepted(worker, project, at=now)
    for zone, hours in (("Pacific/Kiritimati", 14), ("Pacific/Pago_Pago", -11)):
        worker.timezone = zone
        worker.save()
        body = api(worker).get("/api/v1/work/summary").json()
        local = now.astimezone(UTC) + timedelta(hours=hours)
        assert [day["on"] for day in body["by_day"]] == [local.date().isoformat()]
        assert body["earned"]["today"] == usd(10)


@pytest.mark.parametrize("zone", ["localtime", "posix/Europe/Lisbon", "Mars/Olympus", "", "../etc/passwd", "Africa"])
def test_a_timezone_that_the_database_does_not_know_spoils_no_summary(worker, api, zone):
    worker.timezone = zone
    worker.save()
    accepted(worker, offer("Ducks"), at=timezone.now())
    body = api(worker).get("/api/v1/work/summary").json()
    assert body["earned"]["total"] == usd(10)
    assert sum(day["earned"]["amount"] for day in body["by_day"]) == 10


def test_the_hour_that_a_change_of_clocks_leaves_out_belongs_to_one_day(worker, monkeypatch):
    """In Beirut the clocks went from midnight to one at the start of 29 March 2026, so that day began at one."""
    worker.timezone = "Asia/Beirut"
    project = offer("Ducks", tasks=3)
    for minute in (-1, 1):
        accepted(worker, project, at=datetime(2026, 3, 28, 22, 0, tzinfo=UTC) + timedelta(minutes=minute))
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 29, 12, tzinfo=UTC))
    body = work_summary(worker, "USD")
    assert [(day["on"], day["accepted"]) for day in body["by_day"]] == [("2026-03-28", 1), ("2026-03-29", 1)]
    assert body["earned"]["today"] == usd(10)


def test_a_summary_takes_the_same_queries_for_any_history(client, worker):
    project = offer("Ducks", tasks=40)
    client.get("/api/v1/work/summary")
    with CaptureQueriesContext(connection) as few:
        client.get("/api/v1/work/summary")
    for _ in range(20):
        accepted(worker, project, at=timezone.now())
    with CaptureQueriesContext(connection) as many:
        client.get("/api/v1/work/summary")
    assert len(few) == len(many) <= 6


def test_an_account_whose_answers_are_not_decided_is_closed_only_when_their_pay_is_given_up(client, worker):
    project = offer("Ducks")
    submit(client, claim(client, project)["id"])
    back = claim(client, project)
    submit(client, back["id"])
    Assignment.objects.filter(id=back["id"]).update(state="sent_back")
    held = claim(client, project)
    response = client.post("/api/v1/me/close", {"confirm": worker.email})
    refused(response, 409, "work_pending")
    assert response.json()["waiting"] == 2
    for kept in (held, back):
        assert client.get(f"/api/v1/assignments/{kept['id']}").json()["state"] in {"claimed", "sent_back"}
    response = client.post("/api/v1/me/close", {"confirm": worker.email, "forfeit": True})
    assert response.status_code == 204, response.content
    assert sorted(Assignment.objects.values_list("state", flat=True)) == ["returned", "returned", "submitted"]


def test_scopes(worker, api):
    project = offer("Ducks")
    reader, writer, other = (api(worker, scopes=[scope]) for scope in ("work:read", "work:write", "reviews:read"))
    assert reader.get("/api/v1/feed").status_code == 200
    refused(reader.post(f"/api/v1/projects/{project.id}/claim"), 403, "insufficient_scope")
    refused(writer.get("/api/v1/feed"), 403, "insufficient_scope")
    refused(other.get("/api/v1/assignments"), 403, "insufficient_scope")
    held = claim(writer, project)
    assert submit(writer, held["id"]).status_code == 200
    assert api().get("/api/v1/feed").status_code == 401
