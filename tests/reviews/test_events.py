"""What is told of reviews, to whom, and that nothing is told of what did not happen."""

from datetime import timedelta

import pytest
from django.utils import timezone

from api.core.errors import DomainError
from api.projects.models import ProjectStats
from api.projects.services import roll_up
from api.realtime.models import Event
from api.reviews import services
from api.work import services as work
from api.work.models import Assignment
from tests.factories import make_user
from tests.projects.build import published
from tests.reviews.build import REASON, answer_many, answer_next

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_user("Owner")


def newest(assignment) -> Event:
    return Event.objects.filter(subject_id=assignment.id).latest("id")


def test_worker_and_collective_hear_of_every_decision(owner):
    project = published(owner, money=2000, tasks=4)
    one, two, three = answer_many(project, 3)
    services.accept_assignment(assignment_id=one.id, reviewer=owner)
    services.reject_assignment(assignment_id=two.id, reviewer=owner, category="wrong", reason=REASON)
    services.send_back(assignment_id=three.id, reviewer=owner, comment="Look at the left edge.")
    for each, state in ((one, "accepted"), (two, "rejected"), (three, "sent_back")):
        event = newest(each)
        assert (event.type, event.data["from"]) == (f"assignment.{state}", "submitted")
        assert set(event.audience) == {each.worker_id, owner.id}
        assert event.data["project"] == str(project.id)
    assert newest(one).data["review_seconds"] >= 0
    assert "review_seconds" not in newest(three).data
    services.pay_bonus(assignment_id=one.id, reviewer=owner, amount=5, reason="Thank you")
    assert newest(one).type == "assignment.bonus"
    services.accept_assignment(assignment_id=two.id, reviewer=owner)
    assert (newest(two).type, newest(two).data["from"]) == ("assignment.accepted", "rejected")


def test_worker_and_collective_hear_that_an_answer_stands(owner):
    done = answer_next(published(owner))
    services.send_back(assignment_id=done.id, reviewer=owner, comment="Look at the left edge.")
    Assignment.objects.update(expires_at=timezone.now() - timedelta(minutes=3))
    work.resubmit_overdue()
    event = newest(done)
    assert (event.type, event.data) == ("assignment.submitted", {"project": str(done.project_id), "from": "sent_back"})
    assert set(event.audience) == {done.worker_id, owner.id}


def test_deciding_again_tells_nothing_new(owner):
    done = answer_next(published(owner))
    for _ in range(2):
        services.reject_assignment(assignment_id=done.id, reviewer=owner, category="wrong", reason=REASON)
    for _ in range(2):
        services.accept_assignment(assignment_id=done.id, reviewer=owner)
    types = Event.objects.filter(subject_id=done.id).order_by("id").values_list("type", flat=True)
    assert [each.removeprefix("assignment.") for each in types] == ["claimed", "submitted", "rejected", "accepted"]


def test_what_is_refused_is_not_told(owner):
    done = answer_next(published(owner, money=60))
    before = Event.objects.count()
    for refused in (
        lambda: services.pay_bonus(assignment_id=done.id, reviewer=owner, amount=500, reason="Thank you"),
        lambda: services.reject_assignment(assignment_id=done.id, reviewer=owner, category="wrong", reason="no"),
        lambda: services.accept_assignment(assignment_id=done.id, reviewer=make_user()),
    ):
        with pytest.raises(DomainError):
            refused()
    assert Event.objects.count() == before


def test_the_clock_does_not_count_as_a_review_time(owner):
    done = answer_next(published(owner))
    Assignment.objects.update(auto_accept_at=timezone.now() - timedelta(seconds=1))
    services.accept_due()
    assert "review_seconds" not in newest(done).data


@pytest.mark.django_db(transaction=True)
def test_progress_follows_from_what_was_told(owner):
    project = published(owner, tasks=6)
    waiting = answer_many(project, 5)
    services.accept_many(project_id=project.id, reviewer=owner, ids=[each.id for each in waiting[:3]])
    services.reject_assignment(assignment_id=waiting[3].id, reviewer=owner, category="wrong", reason=REASON)
    services.send_back(assignment_id=waiting[4].id, reviewer=owner, comment="Look at the left edge.")
    roll_up()
    counts = ProjectStats.objects.get(project=project).counts()
    assert [counts[name] for name in ("submitted", "accepted", "rejected", "sent_back")] == [0, 3, 1, 1]
    Assignment.objects.filter(state="sent_back").update(expires_at=timezone.now() - timedelta(minutes=3))
    work.resubmit_overdue()
    roll_up()
    counts = ProjectStats.objects.get(project=project).counts()
    assert [counts[name] for name in ("submitted", "accepted", "rejected", "sent_back")] == [1, 3, 1, 0]
