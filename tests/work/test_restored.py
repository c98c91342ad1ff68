"""Places that were given back are found again after the database was moved to another server."""

import pytest
from django.core.management import call_command

from api.projects.models import OpenTask
from api.work import errors, services
from api.work.models import Participation
from tests.factories import make_user
from tests.projects.build import published

pytestmark = pytest.mark.django_db(transaction=True)

# The old server was this far, and the new one is not.
FAR = 10**12


def answered(worker, project) -> list[str]:
    """The inputs that come until nothing is left."""
    names = []
    while True:
        try:
            taken = services.claim_next(worker_id=worker.id, project_id=project.id)
        except errors.NoTaskLeft:
            return names
        services.submit_answer(assignment_id=taken.id, worker_id=worker.id, answer={"label": "1"})
        names.append(taken.input["name"])


def test_marks_from_another_server_are_forgotten(capsys):
    project = published(make_user("Owner"), tasks=4, assignments_per_task=1)
    quick, slow = make_user("Quick"), make_user("Slow")
    held = [services.claim_next(worker_id=slow.id, project_id=project.id) for _ in range(2)]
    assert len(answered(quick, project)) == 2
    services.return_assignment(assignment_id=held[0].id, worker=slow)
    OpenTask.objects.update(reopened=FAR)
    Participation.objects.filter(worker=quick).update(reopened_seen=FAR - 1)
    assert answered(quick, project) == []
    call_command("after_restore")
    assert "another server" in capsys.readouterr().out
    assert answered(quick, project) == [held[0].input["name"]]
    services.return_assignment(assignment_id=held[1].id, worker=slow)
    assert answered(quick, project) == [held[1].input["name"]]


def test_on_the_same_server_nothing_changes(capsys):
    project = published(make_user("Owner"), tasks=2, assignments_per_task=1)
    slow = make_user("Slow")
    held = services.claim_next(worker_id=slow.id, project_id=project.id)
    services.return_assignment(assignment_id=held.id, worker=slow)
    before = list(OpenTask.objects.order_by("position").values_list("position", "reopened"))
    call_command("after_restore")
    assert capsys.readouterr().out == ""
    assert list(OpenTask.objects.order_by("position").values_list("position", "reopened")) == before
