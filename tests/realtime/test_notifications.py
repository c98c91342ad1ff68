"""Notifications: told once to whom it concerns, added up while unread, read for good, and kept no longer than said."""

import multiprocessing
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, connection, connections, transaction
from django.utils import timezone

from api.accounts import exports
from api.accounts.models import User
from api.collectives.models import Collective, Membership
from api.ledger import services as ledger
from api.ledger.models import Payout
from api.projects import services as projects
from api.projects.models import Project
from api.realtime import outbox, services
from api.realtime.models import Consumer, Event, Notification
from api.realtime.selectors import own_notifications
from api.reviews import services as reviews
from api.work import notices
from api.work import services as work
from api.work.models import Assignment
from tests import factories
from tests.projects.build import give_money, published
from tests.reviews.build import REASON, answer_many, answer_next

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/v1/notifications"
READ = "/api/v1/notifications/read"
UNREAD = "/api/v1/notifications/unread"


def told(user: User, **wanted: Any) -> list[Notification]:
    """What the user has been told after every event was read, oldest first."""
    while services.notify_of_events():
        pass
    return list(Notification.objects.filter(user=user, **wanted).order_by("id"))


def kinds(user: User) -> list[tuple[str, int]]:
    return sorted((each.kind, each.count) for each in told(user, read_at=None))


@pytest.fixture
def owner() -> User:
    return factories.make_user("Owner")


@pytest.fixture
def worker() -> User:
    return factories.make_user("Worker")


def test_a_worker_is_told_of_every_decision_with_what_was_said(owner: User, worker: User) -> None:
    project = published(owner, money=2000, tasks=5)
    one, two, three, four, five = answer_many(project, 5, worker)
    reviews.accept_assignment(assignment_id=one.id, reviewer=owner)
    reviews.accept_assignment(assignment_id=two.id, reviewer=owner)
    reviews.reject_assignment(assignment_id=three.id, reviewer=owner, category="wrong", reason=REASON)
    reviews.send_back(assignment_id=four.id, reviewer=owner, comment="Look at the left edge.")
    reviews.pay_bonus(assignment_id=one.id, reviewer=owner, amount=7, reason="Thank you")
    by_kind = {each.kind: each for each in told(worker)}
    assert sorted(by_kind) == [f"assignment.{each}" for each in ("accepted", "bonus", "rejected", "sent_back")]
    accepted = by_kind["assignment.accepted"]
    assert (accepted.count, accepted.amount, accepted.currency) == (2, 20, "USD")
    assert (accepted.subject_id, accepted.data["title"]) == (project.id, "Ducks")
    assert by_kind["assignment.bonus"].amount == 7
    rejected = by_kind["assignment.rejected"]
    assert (rejected.subject_id, rejected.data["category"], rejected.data["comment"]) == (three.id, "wrong", REASON)
    assert rejected.data["until"] == Assignment.objects.get(id=three.id).settles_at.isoformat()
    sent_back = by_kind["assignment.sent_back"]
    assert (sent_back.subject_id, sent_back.data["comment"]) == (four.id, "Look at the left edge.")
    assert five.state == "submitted"


def test_an_overturned_rejection_and_a_claim_that_ran_out_are_told(owner: User, worker: User) -> None:
    project = published(owner, money=2000, tasks=3)
    done = answer_next(project, worker)
    reviews.reject_assignment(assignment_id=done.id, reviewer=owner, category="wrong", reason=REASON)
    assert kinds(worker) == [("assignment.rejected", 1)]
    reviews.accept_assignment(assignment_id=done.id, reviewer=owner)
    work.claim_next(worker_id=worker.id, project_id=project.id)
    Assignment.objects.filter(state="claimed").update(expires_at=timezone.now() - timedelta(hours=1))
    assert work.expire_overdue() == 1
    assert kinds(worker) == [("assignment.expired", 1), ("assignment.overturned", 1), ("assignment.rejected", 1)]
    assert Notification.objects.get(kind="assignment.overturned").amount == 10


def test_answers_are_added_up_for_those_who_act_for_the_project(owner: User) -> None:
    group = Collective.objects.create(name="Duck watchers")
    second, member, former = (factories.make_user(name) for name in ("Second", "Member", "Former"))
    for user, role in ((owner, "owner"), (second, "owner"), (member, "member")):
        Membership.objects.create(collective=group, user=user, role=role)
    Membership.objects.create(collective=group, user=former, role="owner", until=timezone.now())
    project = published(owner, tasks=4)
    Project.objects.filter(id=project.id).update(collective=group)
    answer_many(project, 2)
    assert kinds(owner) == [("assignment.submitted", 2)]
    first = told(owner)[0]
    answer_next(project)
    again = told(owner)[0]
    assert (again.count, again.amount, again.data) == (3, None, {"title": "Ducks"})
    assert again.id > first.id
    assert kinds(second) == [("assignment.submitted", 3)]
    assert told(member) == told(former) == []


def test_what_a_requester_is_told_names_no_worker(owner: User, worker: User) -> None:
    project = published(owner, tasks=1, money=2000, assignments_per_task=1)
    done = answer_next(project, worker)
    reviews.send_back(assignment_id=done.id, reviewer=owner, comment="Look at the left edge.")
    work.submit_answer(assignment_id=done.id, worker_id=worker.id, answer={"label": "0"})
    told(owner)
    assert Notification.objects.filter(user=owner).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(n::text, ' ') FROM realtime_notification n WHERE user_id = %s", [owner.id])
        text = cursor.fetchone()[0]
    assert str(worker.id) not in text
    assert worker.email not in text
    assert worker.name not in text


def test_the_last_answer_finishes_a_project(owner: User) -> None:
    project = published(owner, tasks=1)
    answer_next(project)
    assert kinds(owner) == [("assignment.submitted", 1)]
    answer_next(project)
    assert kinds(owner) == [("assignment.submitted", 2), ("project.finished", 1)]


def test_closing_is_told_to_the_others(owner: User) -> None:
    project = published(owner)
    other = factories.make_user("Other")
    Membership.objects.create(collective_id=owner.id, user=other, role="owner")
    projects.close_project(project_id=project.id, by=owner)
    assert kinds(other) == [("project.closed", 1)]
    assert kinds(owner) == []


def test_the_brake_on_rejections_is_told(owner: User, settings: Any) -> None:
    settings.REJECTION_LIMIT_COUNT, settings.REJECTION_LIMIT_SHARE = 2, 0.2
    project = published(owner, money=2000, tasks=3)
    one, two = answer_many(project, 2)
    reviews.reject_assignment(assignment_id=one.id, reviewer=owner, category="wrong", reason=REASON)
    assert ("project.rejections_halted", 1) not in kinds(owner)
    reviews.reject_assignment(assignment_id=two.id, reviewer=owner, category="wrong", reason=REASON)
    assert ("project.rejections_halted", 1) in kinds(owner)


def test_money_is_told_to_its_owner_and_not_to_who_moved_it(owner: User) -> None:
    operator = factories.make_user("Operator", is_staff=True)
    give_money(owner, 5000)
    purse = ledger.purse_of(owner_id=owner.id, currency="USD").id
    deposit = ledger.request_deposit(purse_id=purse, amount=500, currency="USD", by=owner)
    ledger.confirm_deposit(deposit_id=deposit.id, by=operator)
    own = ledger.request_deposit(purse_id=purse, amount=600, currency="USD", by=owner)
    ledger.cancel_deposit(deposit_id=own.id, by=owner)
    for sum_ in (300, 400):
        ledger.request_payout(purse_id=purse, amount=sum_, currency="USD", by=owner, method="bank", details="PT50")
    ledger.gather_payouts(by=operator)
    paid, failed = Payout.objects.order_by("amount")
    ledger.mark_payouts_paid(payout_ids=[paid.id], by=operator)
    ledger.mark_payouts_failed(payout_ids=[failed.id], by=operator, reason="No such account")
    found = {each.kind: each for each in told(owner)}
    assert sorted(found) == ["deposit.confirmed", "payout.failed", "payout.paid"]
    assert (found["deposit.confirmed"].amount, found["payout.paid"].amount) == (500, 300)
    assert (found["payout.failed"].amount, found["payout.failed"].data["failure"]) == (400, "No such account")
    assert "PT50" not in str([each.data for each in found.values()])
    assert kinds(operator) == []


def test_what_is_read_is_not_added_to(owner: User) -> None:
    project = published(owner)
    answer_next(project)
    first = told(owner)[0]
    assert services.mark_read(user=owner, up_to=first.id) == 1
    answer_next(project)
    assert [(each.count, each.read_at is None) for each in told(owner)] == [(1, False), (1, True)]


def test_what_came_after_the_list_was_shown_stays_unread(owner: User) -> None:
    project = published(owner)
    answer_next(project)
    shown = told(owner)[0].id
    answer_next(project)
    told(owner)
    assert services.mark_read(user=owner, up_to=shown) == 0
    assert services.mark_read(user=owner, ids=[shown]) == 0
    assert kinds(owner) == [("assignment.submitted", 2)]


def test_an_event_is_told_once_by_many_at_once(owner: User, together: Callable[..., list[Any]]) -> None:
    project = published(owner, money=5000, tasks=20)
    answer_many(project, 15)

    def sweep() -> int:
        return sum(services.notify_of_events() for _ in range(10))

    results = together(*[sweep] * 4)
    assert not [each for each in results if isinstance(each, Exception)]
    assert kinds(owner) == [("assignment.submitted", 15)]


def _make_and_die() -> None:
    """Read the events, write the notifications, and be gone before the commit."""
    connections.close_all()
    with transaction.atomic():
        services.notify_of_events()
        os._exit(9)


def test_who_dies_before_the_commit_has_told_nothing_and_the_next_tells_it(owner: User) -> None:
    project = published(owner)
    answer_next(project)
    connection.close()
    process = multiprocessing.get_context("fork").Process(target=_make_and_die)
    process.start()
    process.join(30)
    assert process.exitcode == 9
    assert not Notification.objects.exists()
    assert kinds(owner) == [("assignment.submitted", 1)]


def test_a_database_that_fails_loses_nothing(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    project = published(owner)
    answer_next(project)

    def fail(ids: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    with monkeypatch.context() as patch:
        patch.setattr(notices, "_all_in", fail)
        with pytest.raises(DataError):
            told(owner)
    assert kinds(owner) == [("assignment.submitted", 1)]


def test_an_event_that_nobody_can_make_sense_of_holds_no_other_up(owner: User) -> None:
    project = published(owner)
    answer_next(project)
    with transaction.atomic():
        outbox.publish("assignment.submitted", subject=owner.id, data={"project": "nonsense"})
        outbox.publish("assignment.accepted", subject=owner.id, data={"project": str(owner.id)})
        outbox.publish("payout.paid", subject=owner.id)
    answer_next(project)
    assert kinds(owner) == [("assignment.submitted", 2)]
    assert services.notify_of_events() == 0


def test_quiet_reading_writes_nothing(owner: User) -> None:
    answer_next(published(owner))
    told(owner)
    before = Consumer.objects.get(name="notifications").cursor
    assert [services.notify_of_events() for _ in range(5)] == [0] * 5
    assert Consumer.objects.get(name="notifications").cursor == before


def test_a_cursor_from_another_server_begins_anew(owner: User) -> None:
    told(owner)
    Consumer.objects.update(cursor="900000000:900000000:")
    services.notify_of_events()
    project = published(owner)
    answer_next(project)
    assert kinds(owner) == [("assignment.submitted", 1)]


def test_new_and_read_are_events_for_the_user_alone(owner: User) -> None:
    project = published(owner)
    answer_next(project)
    made = told(owner)[0]
    answer_next(project)
    told(owner)
    services.mark_read(user=owner, subject=project.id)
    services.mark_read(user=owner, subject=project.id)
    events = Event.objects.filter(type__startswith="notification.").order_by("id")
    assert [(each.type, each.audience) for each in events] == [
        ("notification.created", [owner.id]),
        ("notification.read", [owner.id]),
    ]
    assert events[0].data == {
        "notification": made.id,
        "kind": "assignment.submitted",
        "about": str(project.id),
    }


def test_old_ones_are_forgotten(owner: User) -> None:
    now = timezone.now()
    rows = {}
    for name, age, read in (
        ("fresh", timedelta(days=89), True),
        ("read", timedelta(days=91), True),
        ("unread", timedelta(days=91), False),
        ("ancient", timedelta(days=366), False),
    ):
        rows[name] = Notification.objects.create(
            user=owner, kind=name, subject_id=owner.id, at=now - age, read_at=now if read else None
        ).id
    assert services.forget_old() == 2
    assert set(Notification.objects.values_list("kind", flat=True)) == {"fresh", "unread"}


def test_own_data_has_them_and_closing_the_account_takes_them_away(owner: User, worker: User) -> None:
    assert exports.parts()["notifications"] is own_notifications
    done = answer_next(published(owner), worker)
    reviews.accept_assignment(assignment_id=done.id, reviewer=owner)
    told(worker)
    (row,) = own_notifications(worker)
    assert (row["kind"], row["amount"]) == ("assignment.accepted", 10)
    response = factories.make_api(worker).post("/api/v1/me/close", {"confirm": worker.email, "forfeit": True})
    assert response.status_code == 204
    assert not Notification.objects.filter(user=worker).exists()
    assert told(worker) == []


def test_the_inbox_is_listed_counted_and_read(owner: User, worker: User) -> None:
    project = published(owner, money=2000, tasks=4)
    one, two, three = answer_many(project, 3, worker)
    reviews.accept_assignment(assignment_id=one.id, reviewer=owner)
    reviews.send_back(assignment_id=two.id, reviewer=owner, comment="Look at the left edge.")
    reviews.reject_assignment(assignment_id=three.id, reviewer=owner, category="wrong", reason=REASON)
    told(worker)
    api = factories.make_api(worker)
    assert api.get(UNREAD).json() == {"count": 3}
    rows = api.get(LIST).json()
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    accepted = next(row for row in rows if row["kind"] == "assignment.accepted")
    assert accepted["amount"] == {"amount": 10, "currency": "USD"}
    assert api.post(READ, {"ids": [accepted["id"]]}).json() == {"count": 2}
    assert accepted["id"] not in [row["id"] for row in api.get(LIST, {"unread": "1"}).json()]
    assert api.post(READ, {"subject": str(two.id)}).json() == {"count": 1}
    assert api.post(READ, {"up_to": rows[0]["id"]}).json() == {"count": 0}
    assert api.get(LIST, {"unread": "1"}).json() == []
    assert all(row["read_at"] for row in api.get(LIST).json())


def test_nobody_reads_or_marks_what_others_were_told(owner: User, worker: User) -> None:
    answer_next(published(owner))
    (row,) = told(owner)
    stranger = factories.make_api(worker)
    assert stranger.get(LIST).json() == []
    assert stranger.post(READ, {"ids": [row.id]}).status_code == 200
    assert stranger.post(READ, {"up_to": row.id}).status_code == 200
    assert kinds(owner) == [("assignment.submitted", 1)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ({"up_to": 1, "ids": [1]}, ""),
        ({"up_to": "x"}, "up_to"),
        ({"up_to": 2**63}, "up_to"),
        ({"ids": [1, "x"]}, "ids.1"),
        ({"ids": list(range(201))}, "ids"),
        ({"subject": "7"}, "subject"),
        ({"all": True}, "all"),
    ],
)
def test_bad_marks_are_refused_by_name(owner: User, body: dict[str, Any], field: str) -> None:
    response = factories.make_api(owner).post(READ, body)
    assert response.status_code == 400
    assert field in [error["field"] for error in response.json()["errors"]]


def test_the_list_is_paged_with_the_same_few_queries(owner: User, django_assert_max_num_queries: Any) -> None:
    now = timezone.now()
    Notification.objects.bulk_create(
        [Notification(user=owner, kind="k", subject_id=owner.id, read_at=now, data={"n": n}) for n in range(120)]
    )
    api = factories.make_api(owner)
    with django_assert_max_num_queries(3):
        first = api.get(LIST, {"limit": 100})
    assert len(first.json()) == 100
    address = first["Link"].partition("<")[2].partition(">")[0]
    second = api.get(address.partition("testserver")[2])
    assert [row["data"]["n"] for row in first.json() + second.json()] == list(range(119, -1, -1))
