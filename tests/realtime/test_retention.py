"""Old events are forgotten, and those of another server are no riddle to who reads on."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from api.realtime import consumers, cursor, outbox, retention
from api.realtime.models import Consumer, Event

pytestmark = pytest.mark.django_db(transaction=True)

FAR = 10**12


def publish(count: int) -> list[int]:
    with transaction.atomic():
        for _ in range(count):
            outbox.publish("thing.changed", subject=uuid4())
    return sorted(Event.objects.order_by("-id").values_list("id", flat=True)[:count])


def take() -> list[int]:
    with transaction.atomic():
        return [event.id for event in consumers.take("tests").events]


def test_events_past_their_time_are_deleted_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = publish(5), publish(3)
    Event.objects.filter(id__in=old).update(at=timezone.now() - settings.EVENTS_KEPT - timedelta(minutes=1))
    monkeypatch.setattr(retention, "SWEEP", 2)
    assert [retention.forget_events() for _ in range(4)] == [2, 2, 1, 0]
    assert sorted(Event.objects.values_list("id", flat=True)) == new


def test_events_of_another_server_count_as_seen_and_new_ones_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    take()
    known = publish(3)
    assert take() == known
    Event.objects.update(xid=F("xid") + FAR, oldest=F("oldest") + FAR)
    Consumer.objects.filter(name="tests").update(cursor=f"{FAR}:{FAR}:")
    call_command("after_restore")
    assert "events" in capsys.readouterr().out
    assert take() == []
    new = publish(2)
    assert take() == new
    events, _, floor = cursor.newest(100)
    assert ([event.id for event in events], floor) == ([*known, *new], 0)
    call_command("after_restore")
    assert capsys.readouterr().out == ""


def test_an_empty_outbox_has_a_newest_too() -> None:
    events, at, floor = cursor.newest(10)
    assert (events, floor) == ([], 0)
    published = publish(2)
    assert [event.id for event in cursor.read(at).events] == published


def test_the_newest_are_whole_transactions_from_the_floor_on() -> None:
    publish(3)
    publish(3)
    ids = publish(3)
    events, at, floor = cursor.newest(5)
    assert [event.id for event in events][-3:] == ids
    covered = set(Event.objects.filter(xid__gte=floor).values_list("id", flat=True))
    assert covered <= {event.id for event in events}
    assert covered == set(ids)
    assert cursor.read(at).events == []


def test_another_session_reads_again_what_may_have_been_missed() -> None:
    ids = publish(2)
    at = cursor.now()
    newest = Event.objects.get(id=ids[-1])
    again = cursor.again(at, newest.xid)
    assert [event.id for event in cursor.read(again).events] == ids
    assert not cursor.is_behind(cursor.now(), at)
    assert cursor.is_behind("5:5:", at)
