"""Threads and messages as the API reads and shows them. A worker appears to others under their pseudonym."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework import serializers

from api.accounts.models import User
from api.core import markdown
from api.core.serializers import In, LineField, Out
from api.messaging.models import Kind, Message, Report, Side, Thread
from api.messaging.selectors import END, START, Found, side_of

LONGEST = 10_000
_EXCERPT = 140
# All but the line feed and the tab, which are text.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


class BodyField(serializers.CharField):
    """Markdown. Line ends become line feeds; other control characters are refused."""

    default_error_messages = {"control": "The text has control characters in it."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST, help_text="Markdown; shown as HTML without any of its own.", **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data).replace("\r\n", "\n")
        if _CONTROL.search(text):
            self.fail("control")
        return str(text)


class AboutIn(In):
    kind = serializers.CharField(max_length=16, help_text="project, task, assignment or collective.")
    id = serializers.UUIDField()


class ThreadIn(In):
    about = AboutIn()
    body = BodyField()
    to = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=10,
        help_text="The worker's pseudonym, from a member of the collective.",
    )


class MessageIn(In):
    body = BodyField()


class ReadUpToIn(In):
    up_to = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="The number of a message.")


class ReportIn(In):
    category = serializers.ChoiceField(Report.Category.choices)
    reason = LineField(max_length=1000, required=False, default="", allow_blank=True)


class SettingsIn(In):
    digest = serializers.BooleanField(help_text="Mail me once a day at most what I have not read.")


class SettingsOut(Out):
    digest = serializers.BooleanField()


class ThreadsQuery(In):
    unread = serializers.BooleanField(default=False, help_text="Only threads with unread messages.")
    about = serializers.CharField(required=False, help_text="A kind and an id: assignment:0198c1f2-….")
    project = serializers.UUIDField(required=False, help_text="All that belong to a project.")
    q = serializers.CharField(required=False, max_length=100, help_text="In what it is about; or a pseudonym.")
    limit = serializers.CharField(required=False)
    cursor = serializers.CharField(required=False)

    def validate_about(self, text: str) -> tuple[str, UUID]:
        kind, _, id_ = text.partition(":")
        try:
            return kind, UUID(id_)
        except ValueError:
            raise serializers.ValidationError("This is a kind and an id, with a colon between them.") from None


class SearchQuery(In):
    q = serializers.CharField(
        required=False, default="", max_length=200, help_text='Words; "in this order"; or; -without.'
    )
    limit = serializers.IntegerField(default=20, min_value=1, max_value=50)


class AboutOut(Out):
    kind = serializers.CharField()
    id = serializers.UUIDField()


class CollectiveNameOut(Out):
    id = serializers.UUIDField()
    name = serializers.CharField()


class AuthorOut(Out):
    name = serializers.CharField(help_text="A worker's pseudonym; a member's name.")
    collective = serializers.CharField(allow_blank=True, help_text="For whom a member wrote; empty for a worker.")
    side = serializers.ChoiceField(Side.choices)
    mine = serializers.BooleanField()


class LinkOut(Out):
    url = serializers.URLField()
    label = serializers.CharField()
    host = serializers.CharField(help_text="Where it leads, whatever its label says.")


class NewestOut(Out):
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    author = AuthorOut()
    excerpt = serializers.CharField(allow_blank=True)


class ThreadOut(Out):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Kind.choices)
    about = AboutOut()
    project = serializers.UUIDField(allow_null=True, help_text="The project it belongs to.")
    title = serializers.CharField(help_text="What it is about.")
    collective = CollectiveNameOut()
    worker = serializers.CharField(allow_null=True, help_text="The worker's pseudonym with the collective.")
    side = serializers.ChoiceField(Side.choices, help_text="Yours.")
    messages = serializers.IntegerField(help_text="How many there are, and the number of the newest.")
    read = serializers.IntegerField(help_text="Up to which number you have read.")
    unread = serializers.IntegerField()
    muted = serializers.BooleanField()
    blocked = serializers.BooleanField(help_text="One side has blocked the other.")
    blocked_by_me = serializers.BooleanField(help_text="Yours has.")
    can_write = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    newest = NewestOut(allow_null=True)


class MessageOut(Out):
    id = serializers.UUIDField()
    thread = serializers.UUIDField()
    number = serializers.IntegerField(help_text="Its place in the thread, from 1.")
    at = serializers.DateTimeField()
    author = AuthorOut()
    body = serializers.CharField(allow_blank=True, help_text="Markdown; empty when it was hidden.")
    html = serializers.CharField(allow_blank=True, help_text="Safe HTML of it.")
    links = LinkOut(many=True, help_text="The https addresses in it.")
    hidden = serializers.BooleanField(help_text="An operator has hidden it.")


class OpenedOut(Out):
    thread = ThreadOut()
    message = MessageOut()


class UnreadMessagesOut(Out):
    threads = serializers.IntegerField(help_text="Not muted, with unread messages; 1000 means that many or more.")
    messages = serializers.IntegerField()


class PieceOut(Out):
    text = serializers.CharField()
    hit = serializers.BooleanField(help_text="It is what was searched for.")


class FoundOut(Out):
    message = serializers.UUIDField()
    thread = serializers.UUIDField()
    number = serializers.IntegerField()
    title = serializers.CharField(help_text="What the thread is about.")
    at = serializers.DateTimeField()
    author = AuthorOut()
    excerpt = PieceOut(many=True)


@dataclass(frozen=True, slots=True)
class Sight:
    """What has to be known to show threads to one user: their collectives, all names, and where they may write."""

    user: User
    own: Collection[UUID]
    names: Mapping[UUID, str]
    may_write: Collection[UUID]

    def author(self, message: Message, thread: Thread) -> dict[str, Any]:
        by_worker = message.side == Side.WORKER
        mine = message.author_id == self.user.pk
        return {
            "name": message.author.shown_name if mine or not by_worker else thread.alias,
            "collective": "" if by_worker else self.names.get(thread.collective_id, ""),
            "side": message.side,
            "mine": mine,
        }

    def thread(self, thread: Any) -> dict[str, Any]:
        side = side_of(self.user, thread, self.own)
        newest = thread.newest
        return {
            "id": thread.id,
            "kind": thread.kind,
            "about": {"kind": thread.about_kind, "id": thread.about_id},
            "project": thread.project_id,
            "title": thread.title,
            "collective": {"id": thread.collective_id, "name": self.names.get(thread.collective_id, "")},
            "worker": thread.alias or None,
            "side": side,
            "messages": thread.messages,
            "read": thread.read,
            "unread": thread.unread,
            "muted": thread.muted,
            "blocked": thread.blocked,
            "blocked_by_me": thread.blocked_by_me,
            "can_write": self._can_write(thread, side),
            "created_at": thread.created_at,
            "newest": newest
            and {
                "number": newest.number,
                "at": newest.at,
                "author": self.author(newest, thread),
                "excerpt": "" if newest.hidden_at else " ".join(newest.body.split())[:_EXCERPT],
            },
        }

    def message(self, message: Message, thread: Thread) -> dict[str, Any]:
        hidden = message.hidden_at is not None
        return {
            "id": message.id,
            "thread": thread.id,
            "number": message.number,
            "at": message.at,
            "author": self.author(message, thread),
            "body": "" if hidden else message.body,
            "html": "" if hidden else markdown.render(message.body),
            "links": [] if hidden else message.links,
            "hidden": hidden,
        }

    def found(self, found: Found) -> dict[str, Any]:
        message = found.message
        return {
            "message": message.id,
            "thread": message.thread_id,
            "number": message.number,
            "title": message.thread.title,
            "at": message.at,
            "author": self.author(message, message.thread),
            "excerpt": _pieces(found.excerpt),
        }

    def _can_write(self, thread: Any, side: Side) -> bool:
        if thread.kind == Kind.MEMBERS:
            return True
        allowed = thread.collective_id in self.may_write
        if thread.kind == Kind.ANNOUNCEMENTS:
            return side == Side.COLLECTIVE and allowed
        return not thread.blocked and (side == Side.WORKER or allowed)


def _pieces(excerpt: str) -> list[dict[str, Any]]:
    pieces = []
    for number, part in enumerate(re.split(f"[{START}{END}]", excerpt)):
        if part:
            pieces.append({"text": part, "hit": number % 2 == 1})
    return pieces
