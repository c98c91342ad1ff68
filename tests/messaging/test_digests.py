"""Mail about what stayed unread: once about each message, at most once a day, to nobody who does not want it."""

import multiprocessing
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone

from api.accounts.models import User
from api.messaging import services
from api.messaging.models import Correspondent, Message
from tests.factories import make_user
from tests.messaging.build import Lab, make_lab

pytestmark = pytest.mark.django_db(transaction=True)

BASE = "/api/v1"


@pytest.fixture
def lab(db: None) -> Lab:
    return make_lab()


def later(hours: float = 5) -> None:
    """Let so many hours have passed since everything."""
    passed = timedelta(hours=hours)
    for message in Message.objects.all():
        Message.objects.filter(id=message.id).update(at=message.at - passed)
    for each in Correspondent.objects.all():
        for name in ("digest_at", "mailed_at"):
            if at := getattr(each, name):
                Correspondent.objects.filter(user=each.user).update(**{name: at - passed})


def mailed_to(user: User) -> list[str]:
    return [f"{each.subject}\n{each.body}" for each in mail.outbox if each.to == [user.email]]


def test_what_stays_unread_is_mailed_once_to_the_other_side(lab: Lab) -> None:
    thread, _ = lab.ask()
    assert services.send_digests() == 0, "not at once"
    later()
    assert services.send_digests() == 1
    assert services.send_digests() == 0
    (text,) = mailed_to(lab.owner)
    assert lab.alias() in text
    assert "Is a *decoy* a duck?" in text
    assert f"/messages/{thread.id}" in text
    assert "/messages/settings" in text
    for secret in (lab.worker.name, lab.worker.email, str(lab.worker.id)):
        assert secret not in text
    assert mailed_to(lab.worker) == mailed_to(lab.member) == []


def test_the_worker_reads_who_wrote_for_whom(lab: Lab) -> None:
    thread, _ = lab.ask()
    services.send_message(thread_id=thread.id, by=lab.owner, body="It is not")
    later()
    services.send_digests()
    assert "Ana Owner, for Duck Lab" in mailed_to(lab.worker)[0]
    assert mailed_to(lab.owner) == [], "they have answered it"


def test_what_was_read_muted_or_not_wanted_is_not_mailed(lab: Lab, api: Callable[..., Any]) -> None:
    thread, _ = lab.ask()
    services.mark_read(thread_id=thread.id, user=lab.owner, up_to=1)
    later()
    services.send_digests()
    services.send_message(thread_id=thread.id, by=lab.worker, body="Hello?")
    services.set_muted(thread_id=thread.id, user=lab.owner, muted=True)
    later()
    services.send_digests()
    services.set_muted(thread_id=thread.id, user=lab.owner, muted=False)
    client = api(lab.owner)
    assert client.get(f"{BASE}/messages/settings").json() == {"digest": True}
    assert client.patch(f"{BASE}/messages/settings", {"digest": False}).json() == {"digest": False}
    assert client.get(f"{BASE}/messages/settings").json() == {"digest": False}
    services.send_message(thread_id=thread.id, by=lab.worker, body="Anybody?")
    later()
    services.send_digests()
    assert mail.outbox == []


def test_at_most_one_a_day_and_then_only_what_is_new(lab: Lab) -> None:
    thread, _ = lab.ask("The first question")
    later()
    services.send_digests()
    services.send_message(thread_id=thread.id, by=lab.worker, body="The second question")
    later(6)
    services.send_digests()
    assert len(mailed_to(lab.owner)) == 1
    later(20)
    services.send_digests()
    assert len(mailed_to(lab.owner)) == 2
    assert "The second question" in mailed_to(lab.owner)[1]
    later(48)
    services.send_digests()
    assert len(mailed_to(lab.owner)) == 2


def test_a_message_that_is_too_young_waits_for_its_own_time(lab: Lab) -> None:
    lab.ask()
    Correspondent.objects.update(digest_at=timezone.now() - timedelta(seconds=1))
    services.send_digests()
    assert mail.outbox == []
    waiting = Correspondent.objects.get(user=lab.owner).digest_at
    assert waiting is not None
    assert waiting > timezone.now() + timedelta(hours=3)
    later()
    services.send_digests()
    assert len(mailed_to(lab.owner)) == 1


def test_many_conversations_are_one_mail(lab: Lab) -> None:
    for number in range(12):
        services.open_thread(by=make_user(f"W{number}"), kind="project", about_id=lab.project.id, body=f"Hi {number}")
    later()
    services.send_digests()
    (text,) = mailed_to(lab.owner)
    assert text.startswith("12 conversations have messages that you have not read")
    assert "… and 2 more conversations." in text


def _send(folder: str, start: Any) -> None:
    connections.close_all()
    from django.conf import settings

    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = folder
    start.wait(20)
    while services.send_digests():
        pass
    connections.close_all()


def test_two_processes_at_once_mail_each_person_once(lab: Lab, tmp_path: Any) -> None:
    group = [make_user(f"Reader {number}") for number in range(8)]
    for reader in group:
        thread, _, _ = services.open_thread(
            by=reader, kind="project", about_id=lab.project.id, body=f"I am {reader.id}"
        )
        services.send_message(thread_id=thread.id, by=lab.owner, body=f"Welcome {reader.id}")
    later()
    connections.close_all()
    context = multiprocessing.get_context("fork")
    start = context.Barrier(2)
    processes = [context.Process(target=_send, args=(str(tmp_path), start)) for _ in range(2)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(60)
    assert [each.exitcode for each in processes] == [0, 0]
    sent = "".join(path.read_text() for path in tmp_path.iterdir())
    for reader in group:
        assert sent.count(f"To: {reader.email}") == 1
