"""The review API: the list and its filters, one whole, every verb, and that nobody learns who a worker is."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from api.collectives.models import Pseudonym
from api.reviews.models import ReviewTally
from api.work import services as work
from api.work.models import Assignment
from tests.factories import make_user
from tests.projects.build import draft, published, purse_left
from tests.reviews.build import REASON, answer_many, answer_next, fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_user("Owner")


@pytest.fixture
def client(owner, api):
    return api(owner)


def address(assignment, verb: str = "") -> str:
    return f"/api/v1/assignments/{assignment.id}/{verb}" if verb else f"/api/v1/reviews/assignments/{assignment.id}"


def usd(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "USD"}


# Reading


def test_one_assignment_has_all_that_helps_to_decide(client, owner):
    project = published(owner, tasks=1)
    done = answer_next(project)
    answer_next(project, answer={"label": "0"})
    body = client.get(address(done)).json()
    alias = Pseudonym.objects.get(worker=done.worker).alias
    assert body["worker"] == alias
    assert body["task"]["input"] == {"name": "duck 0"}
    assert (body["state"], body["answer"], body["late"]) == ("submitted", {"label": "1"}, False)
    assert body["reward"] == usd(10)
    assert body["seconds"] >= 0
    assert body["others"] == {"key": "label", "agree": 0, "of": 1}
    assert body["worker_stats"] == {"submitted": 1, "accepted": 0, "rejected": 0}
    assert [(each["to"], each["by"]) for each in body["moves"]] == [("claimed", "worker"), ("submitted", "worker")]
    assert (body["bonus"], body["decision"]) == (None, None)


def test_the_list_is_paged_newest_first_or_oldest_first(client, owner):
    project = published(owner, tasks=6)
    ids = [str(each.id) for each in answer_many(project, 5)]
    path = f"/api/v1/projects/{project.id}/assignments"
    for order, wanted in (("newest", ids[::-1]), ("oldest", ids)):
        seen, following = [], f"{path}?order={order}&limit=2&state=submitted"
        while following:
            response = client.get(following)
            seen += [each["id"] for each in response.json()]
            following = response.get("Link", "").partition(">")[0].removeprefix("<http://testserver")
        assert seen == wanted


def test_the_filters_of_the_query(client, owner):
    project = published(owner, tasks=6, assignments_per_task=1)
    worker = make_user("Ana")
    duck, goose = (answer_next(project, worker, {"label": label}) for label in ("1", "0"))
    late = answer_next(project)
    Assignment.objects.filter(id=late.id).update(late=True)
    taken = work.claim_next(worker_id=worker.id, project_id=project.id)

    def found(query: str) -> set[str]:
        response = client.get(f"/api/v1/projects/{project.id}/assignments?{query}")
        assert response.status_code == 200, response.content
        return {each["id"] for each in response.json()}

    alias = Pseudonym.objects.get(worker=worker).alias
    now = quote(timezone.now().isoformat())
    assert found("answer.label=0") == {str(goose.id)}
    assert found(f"answer.label=1&worker={alias}") == {str(duck.id)}
    assert found("state=claimed") == {str(taken.id)}
    assert found("state=claimed&state=submitted&late=true") == {str(late.id)}
    assert found(f"late=false&submitted_before={now}") == {str(duck.id), str(goose.id)}
    assert found(f"submitted_after={now}") == set()
    assert found(f"task={goose.task_id}") == {str(goose.id)}
    assert found("q=%25") == set()


@pytest.mark.parametrize(
    "query",
    [
        "state=ugly",
        "late=perhaps",
        "submitted_after=yesterday",
        "order=best",
        "wrong=1",
        "limit=0",
        "cursor=x",
        "q=%00",
    ],
)
def test_a_query_that_is_not_understood_is_refused(client, owner, query):
    project = published(owner)
    answer_next(project)
    response = client.get(f"/api/v1/projects/{project.id}/assignments?{query}")
    assert response.status_code == 400, response.content
    assert response.json()["code"] in {"invalid", "invalid_cursor"}


def test_an_answers_key_and_value_may_be_any_text(client, owner):
    project = published(owner)
    answer_next(project)
    for query in ("answer.=1", "answer.a%27b=%22", "answer.label=%7B%7D", "answer.x__y=1", "answer.label=1e999"):
        response = client.get(f"/api/v1/projects/{project.id}/assignments?{query}")
        assert response.status_code == 200, query


@pytest.mark.django_db(transaction=True)
def test_what_the_database_cannot_hold_is_refused(owner, api):
    client, project = api(owner), published(owner)
    answer_next(project)
    path = f"/api/v1/projects/{project.id}/assignments"
    assert client.get(f"{path}?answer.label=%00").status_code == 400
    assert client.post(f"{path}/accept", {"filter": {"answer": {"label": "a\0"}}}).status_code == 400


def test_lists_take_few_queries_however_long(client, owner):
    project = published(owner, money=2000, tasks=60)
    for _ in range(2):
        answer_many(project, 30)
    with CaptureQueriesContext(connection) as queries:
        assert len(client.get(f"/api/v1/projects/{project.id}/assignments?limit=60").json()) == 60
    assert len(queries) <= 6
    with CaptureQueriesContext(connection) as queries:
        client.get(address(Assignment.objects.first()))
    assert len(queries) <= 10


# Deciding


def test_every_verb_decides_and_answers_with_the_whole(client, owner):
    project = published(owner, tasks=6)
    one, two, three = answer_many(project, 3)
    accepted = client.post(address(one, "accept"), {"comment": "Good."}).json()
    assert (accepted["state"], accepted["decision"]) == (
        "accepted",
        {"category": "", "comment": "Good.", "by_clock": False},
    )
    rejected = client.post(address(two, "reject"), {"category": "spam", "reason": REASON}).json()
    assert (rejected["state"], rejected["decision"]["category"]) == ("rejected", "spam")
    assert rejected["settles_at"]
    back = client.post(address(three, "send-back"), {"comment": "Look at the left edge.", "lasts": 90_000}).json()
    assert back["state"] == "sent_back"
    expires = fresh(three).expires_at - fresh(three).decided_at
    assert expires == timedelta(hours=25)
    assert [each["by"] for each in back["moves"]] == ["worker", "worker", "requester"]


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("accept", {"state": "accepted"}, "state"),
        ("reject", {}, "category"),
        ("reject", {"category": "ugly", "reason": REASON}, "category"),
        ("reject", {"category": "wrong", "reason": "No."}, "reason"),
        ("send-back", {"comment": "No."}, "comment"),
        ("send-back", {"comment": "Look at the left edge.", "lasts": 86_399}, "lasts"),
        ("bonus", {"amount": {"amount": 0, "currency": "USD"}, "reason": "Thanks"}, "amount.amount"),
        ("bonus", {"amount": {"amount": -5, "currency": "USD"}, "reason": "Thanks"}, "amount.amount"),
        ("bonus", {"amount": {"amount": 5, "currency": "EUR"}, "reason": "Thanks"}, "amount.currency"),
        ("bonus", {"amount": 5, "reason": "Thanks"}, "amount"),
        ("bonus", {"amount": {"amount": 5, "currency": "USD"}}, "reason"),
    ],
)
def test_what_is_wrong_is_named_by_field(client, owner, verb, body, field):
    done = answer_next(published(owner))
    response = client.post(address(done, verb), body)
    assert response.status_code == 400
    assert field in {each["field"] for each in response.json()["errors"]}
    assert fresh(done).state == "submitted"
    assert purse_left(done.worker) == 0


def test_refusals_have_their_codes(client, owner):
    project = published(owner, money=60)
    done = answer_next(project)
    bonus = client.post(address(done, "bonus"), {"amount": usd(1), "reason": "Thanks"})
    assert (bonus.status_code, bonus.json()["code"]) == (409, "insufficient_funds")
    ReviewTally.objects.create(project=project, rejected=20)
    halted = client.post(address(done, "reject"), {"category": "wrong", "reason": REASON})
    assert (halted.status_code, halted.json()["code"]) == (409, "rejections_halted")
    client.post(address(done, "accept"))
    for verb, body in (("reject", {"category": "wrong", "reason": REASON}), ("send-back", {"comment": "Once more."})):
        wrong = client.post(address(done, verb), body)
        assert (wrong.status_code, wrong.json()["code"]) == (409, "wrong_state")


def test_bonus_and_part_say_what_they_paid(client, owner):
    project = published(owner, money=200)
    done = answer_next(project)
    paid = client.post(address(done, "bonus"), {"amount": usd(25), "reason": "A fine answer"})
    assert (paid.status_code, paid.json()["amount"]) == (201, usd(25))
    assert client.get(address(done)).json()["bonus"] == usd(25)
    client.post(address(done, "reject"), {"category": "wrong", "reason": REASON})
    part = client.post(address(done, "pay-partial"), {"amount": usd(4), "reason": "Half of it"})
    assert part.status_code == 201
    again = client.post(address(done, "pay-partial"), {"amount": usd(4), "reason": "Half of it"})
    assert (again.status_code, again.json()["code"]) == (409, "already_paid")
    assert client.get(address(done)).json()["bonus"] == usd(29)


def test_a_bonus_sent_twice_with_one_key_is_paid_once(client, owner):
    done = answer_next(published(owner, money=200))
    for _ in range(3):
        response = client.post(
            address(done, "bonus"),
            {"amount": usd(25), "reason": "Thanks"},
            headers={"Idempotency-Key": "bonus-for-the-first"},
        )
        assert response.status_code == 201
    assert purse_left(done.worker) == 25


def test_a_refusal_half_way_through_many_changes_nothing_with_a_key_too(client, owner):
    project = published(owner, tasks=6)
    ids = [str(each.id) for each in answer_many(project, 4)]
    ReviewTally.objects.create(project=project, rejected=18)
    response = client.post(
        f"/api/v1/projects/{project.id}/assignments/reject",
        {"ids": ids, "category": "wrong", "reason": REASON},
        headers={"Idempotency-Key": "reject-all-of-them"},
    )
    assert (response.status_code, response.json()["code"]) == (409, "rejections_halted")
    assert Assignment.objects.filter(state="submitted").count() == 4
    assert ReviewTally.objects.get(project=project).rejected == 18


def test_many_at_once(client, owner):
    project = published(owner, tasks=8)
    ids = [str(each.id) for each in answer_many(project, 6)]
    path = f"/api/v1/projects/{project.id}/assignments"
    seen = client.post(f"{path}/accept", {"filter": {"answer": {"label": "1"}}, "expect": 5})
    assert (seen.status_code, seen.json()["code"], seen.json()["matching"]) == (409, "changed_meanwhile", 6)
    accepted = client.post(f"{path}/accept", {"ids": ids[:2]}).json()
    assert accepted == {"accepted": 2, "skipped": [], "paid": usd(20)}
    rejected = client.post(f"{path}/reject", {"ids": ids[1:3], "category": "wrong", "reason": REASON}).json()
    assert rejected == {"changed": 1, "skipped": [ids[1]]}
    back = client.post(f"{path}/send-back", {"ids": ids[3:4], "comment": "Look at the left edge."}).json()
    assert back == {"changed": 1, "skipped": []}
    rest = client.post(f"{path}/accept", {"filter": {}, "expect": 2}).json()
    assert (rest["accepted"], rest["paid"]) == (2, usd(20))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": ["x"]},
        {"filter": {"state": "claimed"}},
        {"filter": {}, "ids": []},
        {"filter": {"x": 1}},
    ],
)
def test_many_wants_ids_or_a_filter(client, owner, body):
    project = published(owner)
    response = client.post(f"/api/v1/projects/{project.id}/assignments/accept", body)
    assert response.status_code == 400


# Who


def test_a_stranger_learns_nothing_and_changes_nothing(owner, api):
    project = published(owner)
    done = answer_next(project)
    stranger, worker = api(make_user("Stranger")), api(done.worker)
    for someone in (stranger, worker):
        assert someone.get(address(done)).status_code == 404
        for verb, body in (
            ("accept", {}),
            ("reject", {"category": "wrong", "reason": REASON}),
            ("send-back", {"comment": "Look at the left edge."}),
            ("bonus", {"amount": usd(1), "reason": "Thanks"}),
            ("pay-partial", {"amount": usd(1), "reason": "Thanks"}),
        ):
            assert someone.post(address(done, verb), body).status_code == 404
        assert someone.get(f"/api/v1/projects/{project.id}/assignments").status_code == 403
        many = someone.post(f"/api/v1/projects/{project.id}/assignments/accept", {"filter": {}})
        assert many.status_code == 403
    hidden = draft(owner)
    assert stranger.get(f"/api/v1/projects/{hidden.id}/assignments").status_code == 404
    assert fresh(done).state == "submitted"


def test_reading_and_writing_need_their_scopes(owner, api):
    done = answer_next(published(owner))
    reader, writer = api(owner, scopes=["reviews:read"]), api(owner, scopes=["reviews:write"])
    assert reader.get(address(done)).status_code == 200
    assert reader.post(address(done, "accept")).json()["code"] == "insufficient_scope"
    assert writer.get(address(done)).json()["code"] == "insufficient_scope"
    assert writer.post(address(done, "accept")).status_code == 200
    assert api().get(address(done)).status_code == 401


def texts(value: Any) -> list[str]:
    """Every key and text in a JSON document."""
    if isinstance(value, dict):
        return [text for key, part in value.items() for text in [key, *texts(part)]]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [str(value)]


def test_no_answer_tells_who_the_worker_is(owner, client, api):
    project = published(owner, money=2000, tasks=6, assignments_per_task=3)
    worker = make_user("Ottilie Zimmermann")
    others = [make_user("Casimir Quatermain"), make_user("Ulla Vandersteen")]
    done = [answer_next(project, each) for each in (worker, *others, worker, worker)]
    base = f"/api/v1/projects/{project.id}"
    bodies = [
        client.post(address(done[0], "accept")),
        client.post(address(done[1], "reject"), {"category": "wrong", "reason": REASON}),
        client.post(address(done[2], "send-back"), {"comment": "Look at the left edge."}),
        client.post(address(done[0], "bonus"), {"amount": usd(2), "reason": "Thanks"}),
        client.post(f"{base}/assignments/accept", {"filter": {}}),
        client.get(f"{base}/assignments"),
        *[client.get(address(each)) for each in done],
        client.get(f"{base}/results/summary?key=label"),
        client.get(f"{base}/results/workers?key=label"),
        client.get(f"{base}/progress"),
        client.get(base),
    ]
    for response in bodies:
        assert response.status_code in (200, 201), response.content
    told = [text for response in bodies for text in texts(response.json())]
    for form in ("csv", "jsonl"):
        exported = client.get(f"{base}/results?format={form}")
        told.append(b"".join(exported.streaming_content).decode())
    purse = next(each for each in client.get("/api/v1/purses").json() if each["kind"] == "purse")
    told += texts(client.get(f"/api/v1/purses/{purse['id']}/statement").json())
    for each in (worker, *others):
        for secret in (str(each.id), each.id.hex, each.email, each.name, *each.name.split()):
            assert not [text for text in told if secret.lower() in text.lower()], secret
    aliases = set(Pseudonym.objects.filter(collective_id=owner.id).values_list("alias", flat=True))
    listed = {each["worker"] for each in client.get(f"{base}/assignments").json()}
    assert listed == aliases
    assert len(aliases) == 3


def test_two_collectives_know_a_worker_by_different_names(owner, client, api):
    worker, other = make_user("Ana"), make_user("Other")
    names = []
    for someone in (owner, other):
        done = answer_next(published(someone), worker)
        names.append(api(someone).get(address(done)).json()["worker"])
    assert names[0] != names[1]
    again = answer_next(published(owner), worker)
    assert client.get(address(again)).json()["worker"] == names[0]


def test_a_filter_that_is_nested_deeply_is_text(owner, client) -> None:
    project = published(owner)
    deep = "[" * 1000 + "]" * 1000
    assert client.get(f"/api/v1/projects/{project.id}/assignments", {"answer.label": deep}).json() == []
    wanted = {"filter": {"answer": {"label": deep}}}
    assert client.post(f"/api/v1/projects/{project.id}/assignments/accept", wanted).json()["accepted"] == 0
