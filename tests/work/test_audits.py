"""The audit of escrows and places finds what is wrong, and nothing in what is right."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from api.ledger import services as ledger
from api.projects import services
from api.projects.models import UnfundedPlace
from api.work import audits
from api.work.models import Assignment
from api.work.services.claim import claim_next
from api.work.services.handback import return_assignment
from tests.projects.build import give_money, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(make_user, settings):
    """Two tasks of two places with fees: a worker has claimed one, another's answer was rejected."""
    settings.FEE_BPS = 333
    project = published(make_user("Owner"), tasks=2)
    for name in ("Ana", "Bo"):
        claim_next(worker_id=make_user(name).id, project_id=project.id)
    Assignment.objects.filter(worker__name="Bo").update(state="rejected", settles_at=timezone.now())
    return project


def problems() -> list[str]:
    return audits.escrows_hold_what_is_owed() + audits.places_add_up() + audits.nothing_beyond_its_places()


def test_nothing_is_wrong_on_the_whole_way(project) -> None:
    assert problems() == []
    owner = project.created_by
    services.edit_project(project_id=project.id, by=owner, fields={"reward": {"amount": 23, "currency": "USD"}})
    services.publish_project(project_id=project.id, by=owner)
    assert problems() == []
    held = Assignment.objects.get(state="claimed")
    return_assignment(assignment_id=held.id, worker=held.worker)
    assert problems() == []
    services.close_project(project_id=project.id, by=owner)
    assert problems() == []


def test_places_that_wait_for_money_are_no_fault(project) -> None:
    owner = project.created_by
    purse = ledger.purse_of(owner_id=owner.id, currency="USD")
    services.edit_project(project_id=project.id, by=owner, fields={"reward": {"amount": 20, "currency": "USD"}})
    services.publish_project(project_id=project.id, by=owner)
    purse.refresh_from_db()
    outside = ledger.system_purse(kind="external", currency="USD")
    ledger.transfer(key="test:away", kind="payout", lines=[(purse.id, -purse.balance), (outside.id, purse.balance)])
    held = Assignment.objects.get(state="claimed")
    return_assignment(assignment_id=held.id, worker=held.worker)
    assert UnfundedPlace.objects.get().places == 1
    assert problems() == []


@pytest.mark.parametrize(
    ("sql", "finds"),
    [
        ("UPDATE work_assignment SET reward = reward + 1 WHERE state = 'rejected'", ["escrow"]),
        ("UPDATE projects_opentask SET free = free + 1", ["escrow", "task"]),
        ("DELETE FROM projects_opentask", ["escrow", "task"]),
        ("UPDATE projects_project SET state = 'closed'", ["has open places"]),
        ("UPDATE projects_project SET assignments_per_task = 1", ["task 0", "task 1"]),
        ("UPDATE work_assignment SET state = 'accepted', settles_at = NULL WHERE state = 'rejected'", ["escrow"]),
    ],
)
def test_faults_are_found(project, sql, finds) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
    found = problems()
    assert len(found) >= len(finds)
    for word in finds:
        assert any(word in sentence for sentence in found)
    with pytest.raises(CommandError, match="checks found problems"):
        call_command("audit_ledger", stdout=StringIO())


def test_more_assignments_than_places_are_found(project, make_user) -> None:
    one = Assignment.objects.get(state="claimed")
    for name in ("Cy", "Di"):
        Assignment.objects.create(
            project_id=one.project_id, version_id=one.version_id, task_id=one.task_id, worker=make_user(name),
            position=one.position, reward=one.reward, expires_at=one.expires_at,
        )  # fmt: skip
    assert any("live assignments" in sentence for sentence in audits.nothing_beyond_its_places())


def test_the_command_says_that_all_is_right(project) -> None:
    give_money(project.created_by, 5)
    out = StringIO()
    call_command("audit_ledger", stdout=out)
    assert "every escrow holds what its project still owes" in out.getvalue()
