"""The admin's pages of projects and collectives open, search, and ask no query for each row."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from api.accounts.models import User
from api.projects.models import Batch, BatchProblem, Project, Task, Version
from tests.projects.build import published

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator@example.org", "not used here"))
    return client


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("projects_project", "q=ducks"),
        ("projects_project", "state__exact=published"),
        ("projects_version", "q=ducks"),
        ("projects_batch", "state__exact=done"),
        ("projects_task", "q={project}"),
        ("projects_task", ""),
        ("collectives_collective", "q=owner"),
        ("collectives_membership", "q=owner"),
    ],
)
def test_lists_take_the_same_queries_for_many_rows(operator, make_user, name, query, django_assert_num_queries) -> None:
    project = published(make_user("Owner"))
    address = f"{reverse(f'admin:{name}_changelist')}?{query.format(project=project.id)}"
    operator.get(address)
    with CaptureQueriesContext(connection) as few:
        assert operator.get(address).status_code == 200
    for _ in range(5):
        published(make_user("Owner"))
    with django_assert_num_queries(len(few)):
        assert operator.get(address).status_code == 200


def test_tasks_are_found_by_id_and_by_project(operator, make_user) -> None:
    project = published(make_user("Owner"))
    published(make_user("Other"))
    task = Task.objects.filter(project=project).first()
    address = reverse("admin:projects_task_changelist")

    def found(query: str) -> int:
        return operator.get(f"{address}?q={query}").context["cl"].result_count

    assert [found(task.id), found(project.id), found("ducks"), found("")] == [1, 3, 0, 0]


def test_pages_of_one_row(operator, make_user) -> None:
    project = published(make_user("Owner"))
    batch = Batch.objects.get()
    BatchProblem.objects.bulk_create(
        BatchProblem(batch=batch, line=n, code="invalid", detail=f"line {n} is bad") for n in range(120)
    )
    for row in (project, Version.objects.get(), batch, Task.objects.first()):
        page = operator.get(reverse(f"admin:projects_{row._meta.model_name}_change", args=[row.pk]))
        assert page.status_code == 200
        assert b"Save" not in page.content
        if isinstance(row, Project):
            assert b"0.60 USD" in page.content
        if isinstance(row, Batch):
            assert b"line 99 is bad" in page.content
            assert b"line 100 is bad" not in page.content
    collective = reverse("admin:collectives_collective_change", args=[project.collective_id])
    assert operator.get(collective).status_code == 200
