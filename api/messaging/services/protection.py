"""Blocking, reporting, and hiding what was reported."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from api.accounts.models import User
from api.core.errors import Conflict
from api.messaging import registry
from api.messaging.errors import NothingToBlock
from api.messaging.models import Block, Kind, Message, Report, Side, Thread
from api.messaging.registry import SEND
from api.messaging.selectors import access_message, access_thread, own_collectives, side_of
from api.realtime import outbox


@transaction.atomic
def block(*, thread_id: UUID, by: User) -> Any:
    """Let no more messages pass between this worker and this collective, about anything. Safe to do twice.

    Raises NotFound, NothingToBlock, and what the collective's rules refuse with.
    """
    thread, side = _sided(by, thread_id)
    Block.objects.get_or_create(
        worker_id=thread.worker_id, collective_id=thread.collective_id, side=side, defaults={"by": by}
    )
    return _told(by, thread)


@transaction.atomic
def unblock(*, thread_id: UUID, by: User) -> Any:
    """Take back what one's own side has blocked. What the other side has, stays."""
    thread, side = _sided(by, thread_id)
    Block.objects.filter(worker_id=thread.worker_id, collective_id=thread.collective_id, side=side).delete()
    return _told(by, thread)


@transaction.atomic
def report_message(*, message_id: UUID, by: User, category: str, reason: str) -> Report:
    """Tell the operators that a message should not stand; once for each reader.

    Raises NotFound, and Conflict for one's own.
    """
    message = access_message(by, message_id)
    if message.author_id == by.pk:
        raise Conflict("This is your own message.")
    report, _ = Report.objects.get_or_create(
        message=message, reporter=by, defaults={"category": category, "reason": reason}
    )
    return report


@transaction.atomic
def hide_message(*, message_id: UUID, by: User) -> None:
    """An operator takes a message out of sight; it stays stored, and its reports are answered."""
    message = Message.objects.select_for_update().get(id=message_id)
    if message.hidden_at is None:
        message.hidden_at, message.hidden_by = timezone.now(), by
        message.save(update_fields=["hidden_at", "hidden_by"])
        _tell_change(message)
    _handle(message, Report.State.HIDDEN, by)


@transaction.atomic
def show_message(*, message_id: UUID, by: User) -> None:
    """An operator lets a hidden message stand after all."""
    message = Message.objects.select_for_update().get(id=message_id)
    if message.hidden_at is not None:
        message.hidden_at = message.hidden_by = None
        message.save(update_fields=["hidden_at", "hidden_by"])
        _tell_change(message)
    Report.objects.filter(message=message, state=Report.State.HIDDEN).update(
        state=Report.State.DISMISSED, handled_at=timezone.now(), handled_by=by
    )


@transaction.atomic
def dismiss_reports(*, report_ids: Collection[UUID], by: User) -> int:
    """An operator finds nothing wrong with what was reported. Returns how many were open."""
    rows = Report.objects.filter(id__in=report_ids, state=Report.State.OPEN)
    return rows.update(state=Report.State.DISMISSED, handled_at=timezone.now(), handled_by=by)


def _handle(message: Message, state: Report.State, by: User) -> None:
    Report.objects.filter(message=message, state=Report.State.OPEN).update(
        state=state, handled_at=timezone.now(), handled_by=by
    )


def _sided(by: User, thread_id: UUID) -> tuple[Thread, Side]:
    thread = access_thread(by, thread_id)
    if thread.kind != Kind.TALK:
        raise NothingToBlock
    side = side_of(by, thread, own_collectives(by))
    if side == Side.COLLECTIVE:
        registry.collectives().may(by, thread.collective_id, SEND)
    return thread, side


def _told(by: User, thread: Thread) -> Any:
    audience = [thread.collective_id, *([thread.worker_id] if thread.worker_id else [])]
    outbox.publish("thread.changed", subject=thread.id, audience=audience, data={"thread": str(thread.id)})
    return access_thread(by, thread.id)


def _tell_change(message: Message) -> None:
    thread = message.thread
    audience = [thread.collective_id, *([thread.worker_id] if thread.worker_id else [])]
    outbox.publish("thread.changed", subject=thread.id, audience=audience, data={"thread": str(thread.id)})
