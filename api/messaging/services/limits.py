"""Limits against spam, counted in the database, so that they hold over all nodes."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from api.accounts.models import User
from api.messaging.errors import SameText, TooManyMessages, TooManyThreads
from api.messaging.models import Message, Thread

THREADS = ((timedelta(hours=1), 20), (timedelta(days=1), 100))
MESSAGES = ((timedelta(minutes=1), 30), (timedelta(hours=1), 400))
IN_ONE_THREAD = (timedelta(minutes=1), 15)
# How many threads may get the same text within a day; what is shorter is said often.
SAME_TEXT = (timedelta(days=1), 5)
SHORT = 40


def hold(user: User) -> None:
    """Until the transaction ends nobody else writes for this user, so that what is counted stays true.

    Before the lock on any thread.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('messaging:' || %s, 0))", [str(user.pk)])


def require_new_thread(user: User) -> None:
    """Raises TooManyThreads. Wants `hold`."""
    for span, most in THREADS:
        times = Thread.objects.filter(created_by=user, created_at__gt=timezone.now() - span)
        if wait := _wait(list(times.order_by("-created_at").values_list("created_at", flat=True)[:most]), most, span):
            raise TooManyThreads(wait)


def require_message(user: User, thread_id: UUID, text: str, digest: bytes) -> None:
    """Raises TooManyMessages, and SameText when this went to several other threads today. Wants `hold`."""
    now = timezone.now()
    written = Message.objects.filter(author=user).order_by("-at")
    for rows, (span, most) in (
        *((written, limit) for limit in MESSAGES),
        (written.filter(thread_id=thread_id), IN_ONE_THREAD),
    ):
        if wait := _wait(list(rows.filter(at__gt=now - span).values_list("at", flat=True)[:most]), most, span):
            raise TooManyMessages(wait)
    span, most = SAME_TEXT
    same = written.filter(at__gt=now - span, digest=digest).exclude(thread_id=thread_id)
    if len(text) >= SHORT and len(set(same.values_list("thread_id", flat=True)[:most])) >= most:
        raise SameText


def _wait(times: list[datetime], most: int, span: timedelta) -> int:
    """Seconds until one more is taken, where these are the newest `most`, newest first; 0: now."""
    if len(times) < most:
        return 0
    return max(1, int((times[-1] + span - timezone.now()).total_seconds()) + 1)
