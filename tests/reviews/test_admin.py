"""Operators look at how projects decide."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from api.reviews.models import ReviewTally
from tests.factories import make_user
from tests.work.build import published_project

pytestmark = pytest.mark.django_db

TALLIES = "admin:reviews_reviewtally_changelist"


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(make_user("Op", is_staff=True, is_superuser=True))
    return client


def tally(accepted: int, rejected: int) -> ReviewTally:
    return ReviewTally.objects.create(
        project=published_project(make_user("Owner"), tasks=1), accepted=accepted, rejected=rejected
    )


def test_projects_whose_rejections_have_stopped_are_found(operator):
    halted = {tally(0, 20).pk, tally(79, 20).pk}
    free = {tally(80, 20).pk, tally(0, 19).pk, tally(0, 0).pk}
    for query, wanted in (("halted=yes", halted), ("halted=no", free), ("", halted | free)):
        page = operator.get(f"{reverse(TALLIES)}?{query}")
        assert {row.pk for row in page.context["cl"].result_list} == wanted, query
    text = operator.get(reverse("admin:reviews_reviewtally_change", args=[min(halted)])).content.decode()
    assert "100.0%" in text
    assert "Save" not in text


def test_the_list_takes_the_same_queries_for_many_rows(operator):
    tally(1, 1)
    counts = []
    for more in (0, 55):
        for _ in range(more):
            tally(1, 1)
        for query in ("", "?q=ducks", "?o=5"):
            operator.get(reverse(TALLIES) + query)
            with CaptureQueriesContext(connection) as queries:
                assert operator.get(reverse(TALLIES) + query).status_code == 200
            counts.append(len(queries))
    assert len(set(counts)) == 1, counts
