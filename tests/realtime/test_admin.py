"""Operators look into the outbox."""

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from api.core.ids import uuid7
from api.realtime import admin, outbox
from api.realtime.models import Event
from tests.factories import make_user

pytestmark = pytest.mark.django_db

EVENTS = "admin:realtime_event_changelist"


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(make_user("Op", is_staff=True, is_superuser=True))
    return client


def tell(count: int, type_: str = "thing.changed", subject=None) -> None:
    with transaction.atomic():
        for number in range(count):
            outbox.publish(type_, subject=subject or uuid7(), data={"n": number})


def found(operator, query: str) -> int:
    return len(operator.get(f"{reverse(EVENTS)}?q={query}").context["cl"].result_list)


def test_events_are_found_by_subject_and_by_type_among_the_newest(operator, monkeypatch):
    subject = uuid7()
    tell(2, "thing.made", subject)
    tell(3)
    assert [found(operator, query) for query in (subject, "thing.made", "thing.changed", "thing", "")] == [
        2,
        2,
        3,
        0,
        5,
    ]
    monkeypatch.setattr(admin, "SEARCHED", 4)
    assert [found(operator, query) for query in (subject, "")] == [1, 5]


def test_the_list_takes_the_same_queries_for_many_rows(operator):
    counts = []
    for more in (1, 60):
        tell(more)
        operator.get(reverse(EVENTS))
        with CaptureQueriesContext(connection) as queries:
            operator.get(reverse(EVENTS))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_events_are_not_changed(operator):
    tell(1)
    event = Event.objects.latest("id")
    change = reverse("admin:realtime_event_change", args=[event.id])
    assert operator.get(change).status_code == 200
    assert operator.post(change, {"type": "thing.undone"}).status_code == 403
    assert operator.post(reverse("admin:realtime_event_delete", args=[event.id]), {"post": "yes"}).status_code == 403
    assert operator.get(reverse("admin:realtime_event_add")).status_code == 403
