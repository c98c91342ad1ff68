"""Mail about messages that stayed unread: at most one a day for a person, and never twice about one message."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from api.accounts.models import User
from api.messaging.models import Correspondent, Kind, Message, Side, Thread
from api.messaging.selectors import names_for, own_collectives, side_of, visible_threads, with_marks

ROUND = 50
APART = timedelta(days=1)
THREADS = 10
EXCERPT = 200


def send_digests() -> int:
    """Mail those whose time has come. Returns how many were looked at; `ROUND` means: call again.

    Any number of processes may do it at once: each passes over whom another holds.
    """
    for done in range(ROUND):
        if not send_digest():
            return done
    return ROUND


@transaction.atomic
def send_digest() -> bool:
    """Look at the next person who is due, and mail them what they have not read. False when nobody is.

    One transaction: the message to the mail queue, and the marks that keep it from being sent again.
    """
    now = timezone.now()
    held = (
        Correspondent.objects.filter(digest_at__lte=now)
        .order_by("digest_at")
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("user")
        .first()
    )
    if held is None:
        return False
    user = held.user
    earliest = held.mailed_at + APART if held.mailed_at else now
    if earliest > now:
        held.digest_at = earliest
    else:
        threads = _unread(user) if held.wants_digest and user.is_active and user.email else []
        waiting = now - timedelta(hours=settings.DIGEST_AFTER_HOURS)
        ripe = [thread for thread in threads if thread.since <= waiting]
        held.digest_at = _next_look(threads, ripe)
        if ripe:
            _mail(user, ripe)
            held.mailed_at = now
    held.save(update_fields=["digest_at", "mailed_at"])
    return True


@transaction.atomic
def set_digest(*, user: User, wanted: bool) -> None:
    """Whether the user wants mail about messages that they have not read."""
    Correspondent.objects.update_or_create(user=user, defaults={"wants_digest": wanted})


def _unread(user: User) -> list[Any]:
    """The user's threads with something that they have neither read nor been mailed about, newest first.

    `since` is when the first such message came. Where their own side wrote last, nothing waits for them.
    """
    first = Message.objects.filter(thread=OuterRef("id"), number=OuterRef("seen") + 1)
    rows: QuerySet[Any] = (
        with_marks(visible_threads(user), user)
        .filter(muted=False, unread__gt=0)
        .alias(seen=Greatest(F("read"), Coalesce(F("mark__mailed"), 0)))
        .filter(messages__gt=F("seen"))
        .annotate(since=Subquery(first.values("at")))
    )
    own = own_collectives(user)
    return [
        thread
        for thread in rows.order_by("-newest_at")
        if thread.newest is not None
        and (thread.kind == Kind.MEMBERS or thread.newest.side != side_of(user, thread, own))
    ]


def _next_look(threads: list[Any], ripe: list[Any]) -> datetime | None:
    """When to look again for what is too young to be mailed; None when nothing waits."""
    young = [thread.since for thread in threads if thread not in ripe]
    return min(young) + timedelta(hours=settings.DIGEST_AFTER_HOURS) if young else None


def _mail(user: User, threads: list[Any]) -> None:
    names = names_for(threads)
    parts = [_part(user, thread, names.get(thread.collective_id, "")) for thread in threads[:THREADS]]
    if len(threads) > THREADS:
        parts.append(f"… and {len(threads) - THREADS} more conversations.\n{settings.PUBLIC_URL}/messages\n")
    count = len(threads)
    words = "1 conversation has" if count == 1 else f"{count} conversations have"
    EmailMessage(
        subject=f"{words} messages that you have not read",
        body="\n".join(
            [
                f"Hello {user.shown_name},\n",
                *parts,
                "Answer in Guildhall; answers to this mail reach nobody.",
                f"You get this at most once a day. To get it no more: {settings.PUBLIC_URL}/messages/settings\n",
            ]
        ),
        to=[user.email],
    ).send()
    with connection.cursor() as cursor:
        for thread in sorted(threads, key=lambda each: each.id):
            cursor.execute(
                "INSERT INTO messaging_mark (thread_id, user_id, read, mailed, muted) VALUES (%s, %s, 0, %s, false)"
                " ON CONFLICT (user_id, thread_id) DO UPDATE SET mailed = EXCLUDED.mailed",
                [thread.id, user.pk, thread.messages],
            )


def _part(user: User, thread: Any, collective: str) -> str:
    newest = thread.newest
    unread = thread.unread
    count = "1 message" if unread == 1 else f"{unread} messages"
    lines = [f"{thread.title} ({count})", f"from {_sender(user, thread, newest, collective)}"]
    if newest is not None and newest.hidden_at is None:
        text = " ".join(newest.body.split())
        lines.append("> " + (text if len(text) <= EXCERPT else text[:EXCERPT].rstrip() + " …"))
    return "\n".join([*lines, f"{settings.PUBLIC_URL}/messages/{thread.id}", ""])


def _sender(user: User, thread: Thread, newest: Message | None, collective: str) -> str:
    if newest is None or newest.side == Side.WORKER:
        return f"worker {thread.alias}"
    if thread.kind == Kind.MEMBERS:
        return f"{newest.author.shown_name}, in {collective}"
    return f"{newest.author.shown_name}, for {collective}"
