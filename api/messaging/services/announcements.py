"""Telling everybody who works on a project."""

from uuid import UUID

from django.db import transaction

from api.accounts.models import User
from api.core.queue import job
from api.messaging import registry
from api.messaging.models import Message, Side, Thread
from api.messaging.registry import ANNOUNCE
from api.messaging.selectors import access_thread
from api.messaging.services import limits
from api.messaging.services.threads import expect_digest, find_or_make, write
from api.realtime import outbox

ROUND = 1000


@transaction.atomic
def announce(*, project_id: UUID, by: User, body: str) -> tuple[Thread, Message]:
    """Write to everybody who works or has worked on a project; it is one row, however many they are.

    Workers find it in their inbox at once; a job tells those who are connected. Raises NotFound and NotAllowed, what
    the collective's rules refuse with, TooManyMessages and SameText.
    """
    topic = registry.projects().managed(by, project_id)
    registry.collectives().may(by, topic.collective_id, ANNOUNCE)
    limits.hold(by)
    thread, _ = find_or_make(topic, kind="project", about_id=project_id, by=by, announces=True)
    thread = access_thread(by, thread.id, lock=True)
    message = write(thread, by=by, side=Side.COLLECTIVE, body=body)
    data = {"thread": str(thread.id), "message": str(message.id)}
    outbox.publish("message.sent", subject=thread.id, audience=[thread.collective_id], data=data)
    tell_workers.enqueue(str(thread.id), str(message.id))
    return access_thread(by, thread.id), message


@job()
def tell_workers(thread_id: str, message_id: str, after: str | None = None) -> None:
    """Publish an announcement to its workers, some at a time, each in an audience of bearable length."""
    thread = Thread.objects.get(id=thread_id)
    if thread.project_id is None:
        return
    ids = registry.workers().working_on(thread.project_id, UUID(after) if after else None, ROUND)
    if ids:
        data = {"thread": thread_id, "message": message_id}
        outbox.publish("message.sent", subject=thread.id, audience=ids, data=data)
        expect_digest(ids)
    if len(ids) == ROUND:
        tell_workers.enqueue(thread_id, message_id, str(ids[-1]))
