"""Threads: who may begin one about what, that there is one of each, who reads what under which name."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from api.accounts import exports
from api.accounts.services.closing import close_account
from api.collectives.errors import Denied
from api.collectives.models import Collective, Membership, Pseudonym
from api.core.errors import Invalid, NotAllowed, NotFound
from api.messaging import errors, selectors, services
from api.messaging.models import Mark, Message, Thread
from api.messaging.services import limits
from api.realtime.models import Event
from tests.factories import make_user
from tests.messaging.build import Lab, make_lab
from tests.reviews.build import answer_next

pytestmark = pytest.mark.django_db(transaction=True)

BASE = "/api/v1"


@pytest.fixture
def lab(db: None) -> Lab:
    return make_lab()


def begin(by: Any, kind: str, about: Any, to: str = "", body: str = "Hello there") -> Thread:
    return services.open_thread(by=by, kind=kind, about_id=about, body=body, to=to)[0]


# Who may begin one


def test_a_worker_asks_about_project_task_and_assignment_and_the_owner_answers(lab: Lab) -> None:
    for kind, about in (
        ("project", lab.project.id),
        ("task", lab.assignment.task_id),
        ("assignment", lab.assignment.id),
    ):
        thread = begin(lab.worker, kind, about)
        assert (thread.kind, thread.worker_id, thread.collective_id) == ("talk", lab.worker.id, lab.group.id)
        assert thread.project_id == lab.project.id
        assert services.send_message(thread_id=thread.id, by=lab.owner, body="Yes").number == 2


def test_somebody_who_only_may_see_the_project_asks_about_it_and_gets_a_pseudonym(lab: Lab) -> None:
    reader = make_user("Reader")
    thread = begin(reader, "project", lab.project.id)
    assert thread.alias == Pseudonym.objects.get(collective=lab.group, worker=reader).alias != ""


def test_both_sides_beginning_about_one_thing_meet_in_one_thread(lab: Lab) -> None:
    asked = begin(lab.worker, "assignment", lab.assignment.id)
    wrote = begin(lab.owner, "assignment", lab.assignment.id)
    again = services.open_thread(by=lab.worker, kind="assignment", about_id=lab.assignment.id, body="One more thing")
    assert asked.id == wrote.id == again[0].id
    assert (again[1].number, again[2]) == (3, False)


def test_members_must_name_the_worker_by_a_pseudonym_they_know(lab: Lab) -> None:
    thread = begin(lab.owner, "project", lab.project.id, to=lab.alias().lower())
    assert thread.worker_id == lab.worker.id
    for to in ("", "NOSUCH", str(lab.worker.id)[:10]):
        with pytest.raises(Invalid) as caught:
            begin(lab.owner, "project", lab.project.id, to=to)
        assert [each.field for each in caught.value.errors] == ["to"]
    elsewhere = make_lab("Goose Lab")
    with pytest.raises(Invalid):
        begin(lab.owner, "project", lab.project.id, to=elsewhere.alias())


def test_a_task_is_talked_about_with_those_who_had_it(lab: Lab) -> None:
    other = answer_next(lab.project)
    with pytest.raises(NotFound):
        begin(lab.owner, "task", lab.assignment.task_id, to=lab.alias(other.worker))
    stranger = make_user("Stranger")
    for kind, about in (("task", lab.assignment.task_id), ("assignment", lab.assignment.id), ("assignment", uuid4())):
        with pytest.raises(NotFound):
            begin(stranger, kind, about)
    assert not Thread.objects.exists()


def test_what_nobody_may_see_cannot_be_asked_about(lab: Lab) -> None:
    from tests.projects import build

    draft = build.draft(lab.owner)
    with pytest.raises(NotFound):
        begin(lab.worker, "project", draft.id)
    with pytest.raises(Invalid) as caught:
        begin(lab.worker, "purse", lab.project.id)
    assert caught.value.errors[0].field == "about.kind"


def test_members_talk_among_themselves(lab: Lab) -> None:
    thread = begin(lab.member, "collective", lab.group.id)
    assert begin(lab.owner, "collective", lab.group.id).id == thread.id
    assert thread.kind == "members"
    for outsider, about in ((lab.worker, lab.group.id), (lab.worker, lab.worker.id)):
        with pytest.raises(NotFound):
            begin(outsider, "collective", about)
    Membership.objects.filter(user=lab.member).update(until=timezone.now())
    with pytest.raises(NotFound):
        services.send_message(thread_id=thread.id, by=lab.member, body="Still there?")


def test_a_member_who_may_not_act_reads_but_does_not_write(lab: Lab, api: Callable[..., Any]) -> None:
    thread, _ = lab.ask()
    with pytest.raises(Denied):
        services.send_message(thread_id=thread.id, by=lab.member, body="I say")
    with pytest.raises(Denied):
        begin(lab.member, "project", lab.project.id, to=lab.alias())
    shown = api(lab.member).get(f"{BASE}/threads/{thread.id}").json()
    assert (shown["can_write"], shown["side"]) == (False, "collective")
    assert api(lab.owner).get(f"{BASE}/threads/{thread.id}").json()["can_write"] is True


def test_strangers_and_other_workers_see_nothing(lab: Lab, api: Callable[..., Any]) -> None:
    thread, message = lab.ask()
    other = answer_next(lab.project).worker
    for outsider in (other, make_user("Stranger"), make_lab("Goose Lab").owner):
        client = api(outsider)
        assert client.get(f"{BASE}/threads").json() == []
        assert client.get(f"{BASE}/messages/search?q=decoy").json() == []
        for path in ("", "/messages"):
            assert client.get(f"{BASE}/threads/{thread.id}{path}").status_code == 404
        for verb, body in (("messages", {"body": "x"}), ("read", {"up_to": 1}), ("mute", {}), ("block", {})):
            assert client.post(f"{BASE}/threads/{thread.id}/{verb}", body).status_code == 404
        assert client.post(f"{BASE}/messages/{message.id}/report", {"category": "spam"}).status_code == 404


# Under which name


def test_a_requester_never_learns_who_a_worker_is(lab: Lab, api: Callable[..., Any]) -> None:
    thread, message = lab.ask()
    services.send_message(thread_id=thread.id, by=lab.owner, body="Not a decoy, no")
    client = api(lab.owner)
    seen = "".join(
        client.get(path).content.decode()
        for path in (
            f"{BASE}/threads",
            f"{BASE}/threads/{thread.id}",
            f"{BASE}/threads/{thread.id}/messages",
            f"{BASE}/messages/search?q=decoy",
        )
    )
    told = json.dumps([event.data for event in Event.objects.filter(subject_id=thread.id)])
    assert lab.alias() in seen
    for secret in (str(lab.worker.id), lab.worker.email, lab.worker.name, lab.worker.id.hex):
        assert secret not in seen
        assert secret not in told
    assert str(message.id) in told


def test_a_worker_reads_who_wrote_and_for_whom(lab: Lab, api: Callable[..., Any]) -> None:
    thread, _ = lab.ask()
    services.send_message(thread_id=thread.id, by=lab.owner, body="No")
    newest, first = api(lab.worker).get(f"{BASE}/threads/{thread.id}/messages").json()
    assert newest["author"] == {"name": "Ana Owner", "collective": "Duck Lab", "side": "collective", "mine": False}
    assert first["author"]["mine"] is True
    assert first["html"] == "<p>Is a <em>decoy</em> a duck?</p>\n"


# Reading


def test_unread_counts_follow_reading_and_muting(lab: Lab, api: Callable[..., Any]) -> None:
    thread, _ = lab.ask()
    services.send_message(thread_id=thread.id, by=lab.worker, body="Hello?")
    mine, theirs = api(lab.worker), api(lab.owner)
    assert mine.get(f"{BASE}/threads/unread").json() == {"threads": 0, "messages": 0}
    assert theirs.get(f"{BASE}/threads/unread").json() == {"threads": 1, "messages": 2}
    path = f"{BASE}/threads/{thread.id}"
    assert theirs.post(f"{path}/read", {"up_to": 1}).json()["unread"] == 1
    assert theirs.get(f"{BASE}/threads?unread=1").json()[0]["unread"] == 1
    assert theirs.post(f"{path}/mute").json()["muted"] is True
    assert theirs.get(f"{BASE}/threads/unread").json() == {"threads": 0, "messages": 0}
    theirs.post(f"{path}/unmute")
    assert theirs.post(f"{path}/read", {"up_to": 99}).json()["read"] == 2
    assert theirs.post(f"{path}/read", {"up_to": 1}).json()["read"] == 2, "what was read stays read"
    assert theirs.get(f"{BASE}/threads?unread=1").json() == []


def test_reading_tells_ones_own_pages_once(lab: Lab) -> None:
    thread, _ = lab.ask()
    for _ in range(2):
        services.mark_read(thread_id=thread.id, user=lab.owner, up_to=1)
    told = Event.objects.get(type="thread.read")
    assert told.audience == [lab.owner.id]


def test_the_list_is_newest_first_paged_and_filtered(lab: Lab, api: Callable[..., Any]) -> None:
    first, _ = lab.ask()
    second = begin(lab.worker, "project", lab.project.id)
    services.send_message(thread_id=first.id, by=lab.owner, body="Yes")
    client = api(lab.worker)
    rows = client.get(f"{BASE}/threads").json()
    assert [row["id"] for row in rows] == [str(first.id), str(second.id)]
    page = client.get(f"{BASE}/threads?limit=1")
    following = client.get(page["Link"].split(">")[0][1:].partition("testserver")[2])
    assert [row["id"] for row in following.json()] == [str(second.id)]
    about = client.get(f"{BASE}/threads?about=assignment:{lab.assignment.id}").json()
    assert [row["id"] for row in about] == [str(first.id)]
    assert len(client.get(f"{BASE}/threads?project={lab.project.id}").json()) == 2
    assert len(client.get(f"{BASE}/threads?q=task").json()) == 1
    assert api(lab.owner).get(f"{BASE}/threads?q={lab.alias()}").json() != []
    assert client.get(f"{BASE}/threads?about=assignment").json()["errors"][0]["field"] == "about"


@pytest.mark.parametrize("count", [3, 12])
def test_lists_cost_the_same_queries_however_long(lab: Lab, api: Callable[..., Any], count: int) -> None:
    workers = [answer_next(lab.project) for _ in range(count)]
    for each in workers:
        begin(each.worker, "assignment", each.id, body=f"Question of {each.id}")
    thread, _ = lab.ask()
    for number in range(count):
        Message.objects.create(
            thread=thread, number=number + 2, author=lab.owner, side="collective", body="x", digest=b"x"
        )
    client = api(lab.owner)
    for path, budget in (
        (f"{BASE}/threads?limit=200", 6),
        (f"{BASE}/threads/{thread.id}/messages", 7),
        (f"{BASE}/messages/search?q=question", 7),
        (f"{BASE}/threads/unread", 3),
    ):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(path).status_code == 200
        assert len(queries) <= budget, [query["sql"][:200] for query in queries]


def test_search_finds_words_in_ones_own_threads_best_first(lab: Lab, api: Callable[..., Any]) -> None:
    thread, _ = lab.ask("The mallard is green. <b>Mallard</b>!")
    services.send_message(thread_id=thread.id, by=lab.owner, body="Only one mallard among many geese and swans here")
    client = api(lab.worker)
    found = client.get(f"{BASE}/messages/search?q=mallard").json()
    assert [each["number"] for each in found] == [1, 2]
    assert "mallard" in [piece["text"] for piece in found[1]["excerpt"] if piece["hit"]]
    assert client.get(f"{BASE}/messages/search?q=mallard -geese").json()[0]["number"] == 1
    assert client.get(f"{BASE}/messages/search?q=heron").json() == []
    assert client.get(f"{BASE}/messages/search").json() == []
    message = Message.objects.get(thread=thread, number=2)
    services.hide_message(message_id=message.id, by=make_user("Operator", is_staff=True))
    assert [each["number"] for each in client.get(f"{BASE}/messages/search?q=mallard").json()] == [1]


# Who is there


def test_typing_is_told_to_the_other_side_under_the_name_it_knows(lab: Lab) -> None:
    thread, _ = lab.ask()
    frame = {"thread": str(thread.id)}
    users, payload = selectors.concerned(lab.worker.id, frame) or ([], {})
    assert (set(users), payload) == ({lab.owner.id, lab.member.id}, {**frame, "name": lab.alias()})
    assert selectors.concerned(lab.owner.id, frame) == ([lab.worker.id], {**frame, "name": "Ana Owner"})
    assert selectors.concerned_by_presence(lab.owner.id, frame) == ([lab.worker.id], frame)
    assert selectors.concerned(make_user("Stranger").id, frame) is None
    assert selectors.concerned(lab.worker.id, {"thread": "nonsense"}) is None
    services.block(thread_id=thread.id, by=lab.worker)
    assert selectors.concerned(lab.owner.id, frame) is None
    assert selectors.concerned_by_presence(lab.owner.id, frame) is None


# Writing


def test_a_message_sent_again_with_its_key_is_there_once(lab: Lab, api: Callable[..., Any]) -> None:
    thread, _ = lab.ask()
    client, key = api(lab.owner), {"Idempotency-Key": "send-0001"}
    answers = [
        client.post(f"{BASE}/threads/{thread.id}/messages", {"body": "Once"}, headers=key).json() for _ in range(3)
    ]
    assert answers[0] == answers[1] == answers[2]
    assert Message.objects.filter(thread=thread, body="Once").count() == 1
    assert Event.objects.filter(type="message.sent", subject_id=thread.id).count() == 2


def test_messages_written_at_once_get_numbers_of_their_own(lab: Lab, together: Callable[..., list[Any]]) -> None:
    thread, _ = lab.ask()
    writers = [lab.owner, lab.worker] * 4
    together(
        *[
            lambda by=by, n=n: services.send_message(thread_id=thread.id, by=by, body=f"{n}")
            for n, by in enumerate(writers)
        ]
    )
    assert sorted(Message.objects.filter(thread=thread).values_list("number", flat=True)) == list(range(1, 10))
    thread.refresh_from_db()
    assert (thread.messages, thread.newest.number) == (9, 9)


def test_two_who_begin_the_same_thread_at_once_share_it(lab: Lab, together: Callable[..., list[Any]]) -> None:
    about = lab.assignment.id
    opened = together(
        *[
            lambda by=by: services.open_thread(by=by, kind="assignment", about_id=about, body=f"I am {by.name}")
            for by in (lab.worker, lab.owner)
        ]
    )
    assert len({thread.id for thread, _, _ in opened}) == 1
    assert Message.objects.count() == 2


def test_bodies_are_bounded_and_made_safe(lab: Lab, api: Callable[..., Any]) -> None:
    thread, _ = lab.ask()
    client, path = api(lab.worker), f"{BASE}/threads/{thread.id}/messages"
    for body in ("", "   ", "x" * 10_001, "a\x02b", None, ["x"]):
        answer = client.post(path, {"body": body})
        assert answer.status_code == 400, body
        assert answer.json()["errors"][0]["field"] == "body"
    assert client.post(path, {"body": "x", "html": "<b>"}).json()["errors"][0]["code"] == "unknown_field"
    shown = client.post(
        path, {"body": "<script>alert(1)</script> [x](javascript:alert(1))\r\n[docs](https://docs.example.org/a)"}
    ).json()
    assert "<script" not in shown["html"]
    assert 'href="javascript' not in shown["html"]
    assert shown["links"] == [
        {"url": "https://docs.example.org/a", "label": "docs", "host": "docs.example.org"},
    ]


# Limits


def test_too_many_messages_in_a_minute_are_refused_with_how_long_to_wait(lab: Lab, api: Callable[..., Any]) -> None:
    thread, _ = lab.ask()
    _, most = limits.IN_ONE_THREAD
    for number in range(most - 1):
        services.send_message(thread_id=thread.id, by=lab.worker, body=f"{number}")
    client, key = api(lab.worker), {"Idempotency-Key": "too-many-1"}
    refused = client.post(f"{BASE}/threads/{thread.id}/messages", {"body": "more"}, headers=key)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_messages")
    assert 1 <= int(refused["Retry-After"]) <= 61
    assert services.send_message(thread_id=thread.id, by=lab.owner, body="You may, though").number == most + 1
    Message.objects.update(at=timezone.now() - timedelta(minutes=2))
    sent = client.post(f"{BASE}/threads/{thread.id}/messages", {"body": "more"}, headers=key)
    assert sent.status_code == 201, "a refusal for now is not kept for the key"


def test_the_limit_holds_over_threads_that_are_written_to_at_once(
    lab: Lab, together: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    abouts = (("project", lab.project.id), ("task", lab.assignment.task_id), ("assignment", lab.assignment.id))
    threads = [begin(lab.worker, kind, about) for kind, about in abouts]
    monkeypatch.setattr(limits, "MESSAGES", ((timedelta(minutes=1), len(threads) + 1),))
    results = together(
        *[lambda id_=each.id: services.send_message(thread_id=id_, by=lab.worker, body="At once") for each in threads]
    )
    assert sum(isinstance(each, Message) for each in results) == 1
    assert sum(isinstance(each, errors.TooManyMessages) for each in results) == 2


def test_new_threads_are_limited(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "THREADS", ((timedelta(hours=1), 2),))
    begin(lab.worker, "project", lab.project.id)
    begin(lab.worker, "assignment", lab.assignment.id)
    with pytest.raises(errors.TooManyThreads) as caught:
        begin(lab.worker, "task", lab.assignment.task_id)
    assert 3500 < caught.value.retry_after <= 3601
    assert begin(lab.worker, "project", lab.project.id).messages == 2, "known threads are no new ones"


def test_the_same_text_goes_to_few_threads(lab: Lab) -> None:
    text = "Come to my other marketplace, it pays twice as much for half the work"
    _, most = limits.SAME_TEXT
    answers = [answer_next(lab.project) for _ in range(most + 1)]
    for each in answers[:most]:
        begin(lab.owner, "assignment", each.id, body=text)
    with pytest.raises(errors.SameText):
        begin(lab.owner, "assignment", answers[most].id, body=text.upper() + " !!")
    assert begin(lab.owner, "assignment", answers[most].id, body="Something else")
    services.send_message(thread_id=begin(lab.owner, "assignment", answers[0].id).id, by=lab.owner, body=text)


# Leaving


def test_own_messages_go_into_the_export_and_survive_closing_under_the_pseudonym(
    lab: Lab, api: Callable[..., Any]
) -> None:
    thread, _ = lab.ask()
    services.mark_read(thread_id=thread.id, user=lab.worker, up_to=1)
    parts = exports.parts()
    assert [row["body"] for row in parts["messages"](lab.worker)] == ["Is a *decoy* a duck?"]
    assert [row["read"] for row in parts["threads"](lab.worker)] == [1]
    close_account(user=lab.worker, confirm=lab.worker.email, forfeit=True)
    assert not Mark.objects.filter(user=lab.worker).exists()
    seen = api(lab.owner).get(f"{BASE}/threads/{thread.id}/messages").json()
    assert seen[0]["author"]["name"] == lab.alias()
    with pytest.raises(errors.WorkerGone):
        services.send_message(thread_id=thread.id, by=lab.owner, body="Are you still there?")


def test_a_thread_survives_its_member_and_its_names_follow(lab: Lab, api: Callable[..., Any]) -> None:
    thread, _ = lab.ask()
    Collective.objects.filter(id=lab.group.id).update(name="Goose Lab")
    assert api(lab.worker).get(f"{BASE}/threads/{thread.id}").json()["collective"]["name"] == "Goose Lab"
    assert selectors.access_thread(lab.worker, thread.id)
    with pytest.raises(NotAllowed):
        services.announce(project_id=lab.project.id, by=lab.worker, body="I, too")
