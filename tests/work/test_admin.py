"""Operators look at assignments: found by whatever id they were given, without a query for each row, nothing edited."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from api.collectives.models import Pseudonym
from api.core.admin import NewestPages
from api.reviews import services as reviews
from api.work import services
from api.work.models import Assignment, Hidden
from tests.factories import make_user
from tests.projects.build import published
from tests.work.build import published_project

pytestmark = pytest.mark.django_db

ASSIGNMENTS = "admin:work_assignment_changelist"


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(make_user("Op", is_staff=True, is_superuser=True))
    return client


def found(operator, query: str = "", name: str = ASSIGNMENTS) -> set[str]:
    response = operator.get(f"{reverse(name)}?{query}")
    assert response.status_code == 200
    return {str(row.pk) for row in response.context["cl"].result_list}


def queries_of(operator, address: str) -> int:
    operator.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert operator.get(address).status_code == 200
    return len(queries)


@pytest.mark.parametrize("query", ["", "q={project}", "q={worker}", "state__exact=submitted", "late__exact=0", "p=2"])
def test_the_list_takes_the_same_queries_for_many_rows(operator, query):
    project = published_project(make_user("Owner"), tasks=120, places=2)
    worker = make_user("Worker")
    address = f"{reverse(ASSIGNMENTS)}?{query.format(project=project.id, worker=worker.id)}"

    _claim_many(worker, project, 51 if query == "p=2" else 2)
    few = queries_of(operator, address)
    _claim_many(worker, project, 60)
    assert queries_of(operator, address) == few <= 13


def _claim_many(worker, project, count: int) -> None:
    """Rows as claims leave them, without their limit on what one may hold."""
    for _ in range(count):
        taken = services.claim_next(worker_id=worker.id, project_id=project.id)
        Assignment.objects.filter(id=taken.id).update(state="submitted")


def test_an_assignment_is_found_by_whatever_is_known_of_it(operator):
    project, other = published_project(make_user("Owner")), published_project(make_user("Other"))
    ana, bo = make_user("Ana"), make_user("Bo")
    mine = services.claim_next(worker_id=ana.id, project_id=project.id)
    rival = services.claim_next(worker_id=bo.id, project_id=project.id)
    elsewhere = services.claim_next(worker_id=ana.id, project_id=other.id)
    alias = Pseudonym.objects.get(worker=ana, collective_id=project.collective_id).alias
    one, both, anas = {str(mine.id)}, {str(mine.id), str(rival.id)}, {str(mine.id), str(elsewhere.id)}
    assert found(operator, f"q={mine.id}") == one
    assert found(operator, f"q=%20{mine.id.hex}%20") == one
    assert found(operator, f"q={mine.task_id}") == one
    assert found(operator, f"q={project.id}") == both
    assert found(operator, f"q={ana.id}") == anas
    assert found(operator, f"q={ana.email.upper()}") == anas
    assert found(operator, f"q={alias.lower()}") == one
    assert found(operator, f"q={make_user().id}") == found(operator, "q=nothing") == set()
    assert found(operator) == both | anas
    assert found(operator, "state__exact=submitted") == set()


def test_a_long_table_is_not_counted(operator, monkeypatch):
    monkeypatch.setattr(NewestPages, "MOST", 60)
    project, worker = published_project(make_user("Owner"), tasks=100), make_user("Worker")
    _claim_many(worker, project, 70)
    with CaptureQueriesContext(connection) as queries:
        page = operator.get(reverse(ASSIGNMENTS))
    assert page.context["cl"].result_count == 60
    counts = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
    assert len(counts) == 1
    assert "LIMIT 60" in counts[0]
    assert len(found(operator, "p=2")) == 10


def test_one_assignment_tells_its_whole_story(operator):
    owner, worker = make_user("Owner"), make_user("Worker")
    project = published(owner)
    taken = services.claim_next(worker_id=worker.id, project_id=project.id)
    services.submit_answer(assignment_id=taken.id, worker_id=worker.id, answer={"label": "1"})
    reviews.reject_assignment(
        assignment_id=taken.id, reviewer=owner, category="wrong", reason="<b>This</b> is a goose, not a duck."
    )
    reviews.pay_part(assignment_id=taken.id, reviewer=owner, amount=4, reason="Half of it")
    address = reverse("admin:work_assignment_change", args=[taken.id])
    with CaptureQueriesContext(connection) as queries:
        page = operator.get(address)
    text = page.content.decode()
    alias = Pseudonym.objects.get(worker=worker).alias
    for word in (alias, "0.10 USD", "0.04 USD", "Half of it", worker.email, "rejected"):
        assert word in text
    assert "<b>This</b>" not in text
    assert "Save" not in text
    assert len(queries) <= 14


@pytest.mark.parametrize("model", ["assignment", "participation", "hidden"])
def test_nothing_is_added_changed_or_deleted(operator, model):
    project, worker = published_project(make_user("Owner")), make_user("Worker")
    taken = services.claim_next(worker_id=worker.id, project_id=project.id)
    services.hide_project(project_id=project.id, worker=worker)
    row = {"assignment": taken, "participation": worker.participation_set.get(), "hidden": Hidden.objects.get()}[model]
    change = reverse(f"admin:work_{model}_change", args=[row.id])
    assert operator.get(change).status_code == 200
    assert operator.post(change, {"state": "accepted", "taken": 0}).status_code == 403
    assert operator.post(reverse(f"admin:work_{model}_delete", args=[row.id]), {"post": "yes"}).status_code == 403
    assert operator.get(reverse(f"admin:work_{model}_add")).status_code == 403
    assert Assignment.objects.get().state == "claimed"


def test_ways_through_projects_and_what_is_hidden_are_found_by_worker_and_project(operator):
    project, other = published_project(make_user("Owner")), published_project(make_user("Other"))
    worker = make_user("Worker")
    for each in (project, other):
        services.claim_next(worker_id=worker.id, project_id=each.id)
        services.hide_project(project_id=each.id, worker=worker)
    for name in ("participation", "hidden"):
        address = f"admin:work_{name}_changelist"
        assert len(found(operator, "", address)) == 2
        assert len(found(operator, f"q={worker.email}", address)) == 2
        assert len(found(operator, f"q={worker.id}", address)) == 2
        assert len(found(operator, f"q={project.id}", address)) == 1
        assert found(operator, "q=nobody", address) == set()


def test_those_who_are_no_operators_see_none_of_it(client):
    client.force_login(make_user("Somebody"))
    assert client.get(reverse(ASSIGNMENTS)).status_code == 302
