"""Beginning threads, writing and reading."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from api.accounts.models import User
from api.core.ids import uuid7
from api.messaging import registry
from api.messaging.errors import AnnouncementsOnly, Blocked, WorkerGone
from api.messaging.links import digest_of, links_in
from api.messaging.models import Block, Kind, Mark, Message, Side, Thread
from api.messaging.registry import SEND, Topic
from api.messaging.selectors import access_thread, others_of, own_collectives, side_of
from api.messaging.services import limits
from api.realtime import outbox


@transaction.atomic
def open_thread(*, by: User, kind: str, about_id: UUID, body: str, to: str = "") -> tuple[Thread, Message, bool]:
    """Write about a thing: in the thread that there is about it between the same two, or in a new one.

    `to` is the worker's pseudonym where a member of the collective writes to one. Returns also whether the thread is
    new. Raises what `registry.topic` and `send_message` do, and TooManyThreads.
    """
    topic = registry.topic(by, kind, about_id, to)
    limits.hold(by)
    thread, is_new = find_or_make(topic, kind=kind, about_id=about_id, by=by)
    message = send_message(thread_id=thread.id, by=by, body=body)
    return access_thread(by, thread.id), message, is_new


def find_or_make(topic: Topic, *, kind: str, about_id: UUID, by: User, announces: bool = False) -> tuple[Thread, bool]:
    """The one thread about a thing between these two. Wants `limits.hold`."""
    between = Kind.ANNOUNCEMENTS if announces else Kind.TALK if topic.worker_id else Kind.MEMBERS
    same = {
        "about_kind": kind,
        "about_id": about_id,
        "collective_id": topic.collective_id,
        "kind": between,
        "worker_id": topic.worker_id,
    }
    found = Thread.objects.filter(**same).first()
    if found is not None:
        return found, False
    if not topic.by_worker and between == Kind.TALK:
        registry.collectives().may(by, topic.collective_id, SEND)
    limits.require_new_thread(by)
    alias = registry.workers().pseudonym(topic.collective_id, topic.worker_id) if topic.worker_id else ""
    fields = {"project_id": topic.project_id, "alias": alias, "title": topic.title[:160], "created_by": by}
    return Thread.objects.get_or_create(**same, defaults=fields)


@transaction.atomic
def send_message(*, thread_id: UUID, by: User, body: str) -> Message:
    """Write in a thread. The sender has read it up to here.

    Raises NotFound, Blocked, WorkerGone, AnnouncementsOnly, TooManyMessages, SameText, and what the collective's rules
    refuse with.
    """
    limits.hold(by)
    thread = access_thread(by, thread_id, lock=True)
    side = side_of(by, thread, own_collectives(by))
    if thread.kind == Kind.ANNOUNCEMENTS:
        raise AnnouncementsOnly
    if thread.kind == Kind.TALK:
        if side == Side.COLLECTIVE:
            registry.collectives().may(by, thread.collective_id, SEND)
        if Block.objects.filter(worker_id=thread.worker_id, collective_id=thread.collective_id).exists():
            raise Blocked
        if not thread.worker.is_active:
            raise WorkerGone
    message = write(thread, by=by, side=side, body=body)
    audience = [thread.collective_id, *([thread.worker_id] if thread.worker_id else [])]
    outbox.publish(
        "message.sent",
        subject=thread.id,
        audience=audience,
        data={"thread": str(thread.id), "message": str(message.id)},
    )
    expect_digest(_to_remind(by, thread))
    return message


def write(thread: Thread, *, by: User, side: Side, body: str) -> Message:
    """Store a message in a thread that is held. Raises TooManyMessages and SameText. Wants `limits.hold`."""
    digest = digest_of(body)
    limits.require_message(by, thread.id, body, digest)
    message = Message.objects.create(
        id=uuid7(),
        thread=thread,
        number=thread.messages + 1,
        author=by,
        side=side,
        body=body,
        links=links_in(body),
        digest=digest,
        at=timezone.now(),
    )
    Thread.objects.filter(id=thread.id).update(messages=message.number, newest=message, newest_at=message.at)
    _read_to(thread.id, by, message.number)
    return message


@transaction.atomic
def mark_read(*, thread_id: UUID, user: User, up_to: int) -> Any:
    """The user has read the thread up to that number, or more before. Raises NotFound."""
    thread = access_thread(user, thread_id)
    target = min(up_to, thread.messages)
    if target > thread.read and _read_to(thread.id, user, target):
        outbox.publish("thread.read", subject=thread.id, audience=[user.pk], data={"thread": str(thread.id)})
        return access_thread(user, thread_id)
    return thread


@transaction.atomic
def set_muted(*, thread_id: UUID, user: User, muted: bool) -> Any:
    """A muted thread is not counted as unread and not mailed. Raises NotFound."""
    thread = access_thread(user, thread_id)
    Mark.objects.update_or_create(thread=thread, user=user, defaults={"muted": muted})
    outbox.publish("thread.read", subject=thread.id, audience=[user.pk], data={"thread": str(thread.id)})
    return access_thread(user, thread_id)


def expect_digest(user_ids: Collection[UUID]) -> None:
    """Look after some hours whether these have read what was just written."""
    if not user_ids:
        return
    at = timezone.now() + timedelta(hours=settings.DIGEST_AFTER_HOURS)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_correspondent AS c (user_id, wants_digest, digest_at)"
            " SELECT u.id, true, %s FROM accounts_user u WHERE u.id = ANY(%s::uuid[]) AND u.is_active ORDER BY u.id"
            " ON CONFLICT (user_id) DO UPDATE SET digest_at = EXCLUDED.digest_at WHERE c.digest_at IS NULL",
            [at, sorted(user_ids)],
        )


def _to_remind(by: User, thread: Thread) -> list[UUID]:
    """Of a collective that a worker writes to, those who act for it; else everybody at the other end."""
    if thread.worker_id == by.pk:
        return [each for each in registry.collectives().actors_of(thread.collective_id) if each != by.pk]
    return others_of(by, thread)


def _read_to(thread_id: UUID, user: User, number: int) -> bool:
    """Move the user's mark forward, never back. Whether it moved."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_mark AS m (thread_id, user_id, read, mailed, muted) VALUES (%s, %s, %s, 0, false)"
            " ON CONFLICT (user_id, thread_id) DO UPDATE SET read = EXCLUDED.read WHERE m.read < EXCLUDED.read",
            [thread_id, user.pk, number],
        )
        return bool(cursor.rowcount > 0)
