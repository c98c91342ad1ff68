"""What keeps people from unwanted messages: blocking, reporting and hiding; and announcements to all of a project."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from api.collectives.errors import Denied
from api.core.errors import Conflict, NotAllowed, NotFound
from api.core.queue import Worker
from api.messaging import errors, services
from api.messaging.models import Block, Message, Report, Thread
from api.messaging.services import announcements
from api.realtime.models import Event
from tests.factories import make_user
from tests.messaging.build import Lab, make_lab
from tests.projects import build
from tests.reviews.build import answer_next

pytestmark = pytest.mark.django_db(transaction=True)

BASE = "/api/v1"


@pytest.fixture
def lab(db: None) -> Lab:
    return make_lab()


def send(thread: Thread, by: Any, body: str = "Hello") -> Message:
    return services.send_message(thread_id=thread.id, by=by, body=body)


# Blocking


@pytest.mark.parametrize("blocker", ["worker", "owner"])
def test_a_block_holds_for_both_and_for_everything_between_them(lab: Lab, blocker: str) -> None:
    thread, _ = lab.ask()
    by = getattr(lab, blocker)
    for _ in range(2):
        assert services.block(thread_id=thread.id, by=by).blocked_by_me is True
    assert Block.objects.count() == 1
    for writer in (lab.worker, lab.owner):
        with pytest.raises(errors.Blocked):
            send(thread, writer)
    with pytest.raises(errors.Blocked):
        services.open_thread(by=lab.worker, kind="project", about_id=lab.project.id, body="Elsewhere, then")
    assert Thread.objects.count() == 1, "what was refused leaves no empty thread"
    services.unblock(thread_id=thread.id, by=by)
    assert send(thread, lab.owner).number == 2


def test_only_the_side_that_blocked_can_take_it_back(lab: Lab) -> None:
    thread, _ = lab.ask()
    services.block(thread_id=thread.id, by=lab.worker)
    seen = services.unblock(thread_id=thread.id, by=lab.owner)
    assert (seen.blocked, seen.blocked_by_me) == (True, False)
    with pytest.raises(errors.Blocked):
        send(thread, lab.owner)


def test_a_block_is_between_these_two_and_no_others(lab: Lab) -> None:
    thread, _ = lab.ask()
    services.block(thread_id=thread.id, by=lab.worker)
    other = answer_next(lab.project)
    talk, _, _ = services.open_thread(by=other.worker, kind="assignment", about_id=other.id, body="Hello")
    assert send(talk, lab.owner).number == 2


def test_blocking_for_the_collective_is_an_act_of_the_collective(lab: Lab) -> None:
    thread, _ = lab.ask()
    with pytest.raises(Denied):
        services.block(thread_id=thread.id, by=lab.member)
    talk, _, _ = services.open_thread(by=lab.member, kind="collective", about_id=lab.group.id, body="Friends!")
    with pytest.raises(errors.NothingToBlock):
        services.block(thread_id=talk.id, by=lab.owner)


# Reports


def test_a_report_reaches_the_operator_who_hides_the_message(lab: Lab, api: Callable[..., Any], client: Client) -> None:
    thread, message = lab.ask("Send me your bank details")
    path = f"{BASE}/messages/{message.id}/report"
    for _ in range(2):
        assert api(lab.owner).post(path, {"category": "private", "reason": "Asks for money"}).status_code == 204
    report = Report.objects.get()
    assert (report.category, report.state) == ("private", "open")
    operator = make_user("Operator", is_staff=True, is_superuser=True)
    client.force_login(operator)
    listed = client.get(reverse("admin:messaging_report_changelist"))
    assert "Send me your bank details" in listed.content.decode()
    chosen = {"action": "hide", "_selected_action": [str(report.id)]}
    client.post(reverse("admin:messaging_report_changelist"), chosen)
    report.refresh_from_db()
    assert (report.state, report.handled_by_id) == ("hidden", operator.id)
    for reader in (lab.owner, lab.worker):
        shown = api(reader).get(f"{BASE}/threads/{thread.id}/messages").json()[0]
        assert (shown["body"], shown["html"], shown["links"], shown["hidden"]) == ("", "", [], True)
        assert "bank" not in api(reader).get(f"{BASE}/threads").content.decode()
    assert Event.objects.filter(type="thread.changed", subject_id=thread.id).count() == 1
    client.post(reverse("admin:messaging_report_changelist"), {**chosen, "action": "show"})
    assert api(lab.owner).get(f"{BASE}/threads/{thread.id}/messages").json()[0]["hidden"] is False
    report.refresh_from_db()
    assert report.state == "dismissed"


def test_who_only_reads_reports_hides_nothing(lab: Lab, client: Client) -> None:
    _, message = lab.ask()
    report = services.report_message(message_id=message.id, by=lab.owner, category="spam", reason="")
    reader = make_user("Reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_report"))
    client.force_login(reader)
    chosen = {"action": "hide", "_selected_action": [str(report.id)]}
    assert client.get(reverse("admin:messaging_report_changelist")).status_code == 200
    client.post(reverse("admin:messaging_report_changelist"), chosen)
    message.refresh_from_db()
    assert message.hidden_at is None


def test_ones_own_message_is_not_reported(lab: Lab, api: Callable[..., Any]) -> None:
    _, message = lab.ask()
    with pytest.raises(Conflict):
        services.report_message(message_id=message.id, by=lab.worker, category="spam", reason="")
    wrong = api(lab.owner).post(f"{BASE}/messages/{message.id}/report", {"category": "ugly"})
    assert wrong.json()["errors"][0]["field"] == "category"


def test_an_operator_dismisses_a_report(lab: Lab) -> None:
    _, message = lab.ask()
    report = services.report_message(message_id=message.id, by=lab.owner, category="spam", reason="")
    operator = make_user("Operator", is_staff=True)
    assert services.dismiss_reports(report_ids=[report.id], by=operator) == 1
    assert services.dismiss_reports(report_ids=[report.id], by=operator) == 0


# Announcements


def test_everybody_who_works_on_a_project_reads_its_announcements_and_nobody_answers_there(
    lab: Lab, api: Callable[..., Any]
) -> None:
    other = answer_next(lab.project).worker
    outsider = make_user("Outsider")
    thread, _ = services.announce(project_id=lab.project.id, by=lab.owner, body="Decoys **are** ducks.")
    again, second = services.announce(project_id=lab.project.id, by=lab.owner, body="And geese are not.")
    assert (again.id, second.number) == (thread.id, 2)
    for worker in (lab.worker, other):
        row = api(worker).get(f"{BASE}/threads").json()[0]
        assert (row["kind"], row["unread"], row["can_write"], row["worker"]) == ("announcements", 2, False, None)
        assert api(worker).post(f"{BASE}/threads/{thread.id}/read", {"up_to": 2}).json()["unread"] == 0
        with pytest.raises(errors.AnnouncementsOnly):
            send(thread, worker)
    assert api(outsider).get(f"{BASE}/threads").json() == []
    assert api(outsider).get(f"{BASE}/threads/{thread.id}").status_code == 404
    read = api(outsider).get(f"{BASE}/projects/{lab.project.id}/announcements").json()
    assert [each["number"] for each in read] == [2, 1]
    assert read[0]["author"]["collective"] == "Duck Lab"
    late = answer_next(lab.project).worker
    assert api(late).get(f"{BASE}/threads").json()[0]["unread"] == 2, "who comes later is told, too"


def test_who_may_announce(lab: Lab) -> None:
    with pytest.raises(Denied):
        services.announce(project_id=lab.project.id, by=lab.member, body="I say")
    with pytest.raises(NotAllowed):
        services.announce(project_id=lab.project.id, by=lab.worker, body="I say")
    draft = build.draft(lab.owner)
    with pytest.raises(NotFound):
        services.announce(project_id=draft.id, by=lab.owner, body="I say")
    with pytest.raises(NotFound):
        services.announce(project_id=draft.id, by=lab.worker, body="I say")


def test_a_job_tells_the_workers_in_audiences_of_bearable_length(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "ROUND", 2)
    workers = {lab.worker.id, *(answer_next(lab.project).worker.id for _ in range(4))}
    thread, message = services.announce(project_id=lab.project.id, by=lab.owner, body="Decoys are ducks.")
    worker = Worker()
    worker.beat()
    while worker.run_next():
        pass
    told = list(Event.objects.filter(type="message.sent", subject_id=thread.id).exclude(audience=[lab.group.id]))
    assert sorted(id_ for event in told for id_ in event.audience) == sorted(workers)
    assert max(len(event.audience) for event in told) == 2
    assert {event.data["message"] for event in told} == {str(message.id)}
