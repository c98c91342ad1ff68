"""Threads, messages and announcements over HTTP."""

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request

from api.accounts.models import User
from api.core.errors import NotFound
from api.core.http import answer
from api.core.pages import PARAMETERS, cut
from api.core.schema import raises
from api.core.views import ApiViewSet
from api.messaging import errors, permissions, registry, selectors, services
from api.messaging import serializers as shapes
from api.messaging.models import Kind, Thread

_OPENINGS = [
    OpenApiExample(
        "a worker asks about their task",
        {"about": {"kind": "assignment", "id": "0198c1f2-7d3a-7c4e-9b1a-2f6d8e0ad0ee"}, "body": "Is a *decoy* a duck?"},
        request_only=True,
    ),
    OpenApiExample(
        "a requester writes to a worker",
        {
            "about": {"kind": "project", "id": "0198c1f2-7d3a-7c4e-9b1a-2f6d8e0ad0ee"},
            "to": "K7Q2M9XD",
            "body": "Thank you for your care.",
        },
        request_only=True,
    ),
]
_REFUSALS = (errors.Blocked, errors.WorkerGone, errors.TooManyMessages, errors.SameText)


class ThreadViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.THREADS

    @extend_schema(
        operation_id="list_threads",
        parameters=[shapes.ThreadsQuery],
        responses={200: shapes.ThreadOut(many=True)},
    )
    def list(self, request: Request) -> HttpResponse:
        """Your conversations, that with the newest message first."""
        query = shapes.ThreadsQuery.read(request.query_params)
        rows = selectors.listed_threads(
            request.user,
            unread=query["unread"],
            about=query.get("about"),
            project=query.get("project"),
            q=query.get("q", ""),
        )
        threads, headers = cut(request, rows, ("-newest_at", "-id"))
        sight = _sight(request.user, threads)
        return answer([sight.thread(each) for each in threads], headers=headers)

    @extend_schema(
        operation_id="open_thread",
        request=shapes.ThreadIn,
        responses={200: shapes.OpenedOut, 201: shapes.OpenedOut, **raises(*_REFUSALS, errors.TooManyThreads, NotFound)},
        examples=_OPENINGS,
    )
    def create(self, request: Request) -> HttpResponse:
        """Write about a project, a task, an assignment or a collective.

        There is one thread about a thing between the same two: the message goes there (200), or begins it (201).
        """
        wanted = shapes.ThreadIn.read(request.data)
        thread, message, is_new = services.open_thread(
            by=request.user,
            kind=wanted["about"]["kind"],
            about_id=wanted["about"]["id"],
            body=wanted["body"],
            to=wanted["to"],
        )
        sight = _sight(request.user, [thread])
        shown = {"thread": sight.thread(thread), "message": sight.message(message, thread)}
        return answer(shown, 201 if is_new else 200)

    @extend_schema(operation_id="count_unread_messages", responses={200: shapes.UnreadMessagesOut})
    def unread(self, request: Request) -> HttpResponse:
        """How much you have not read."""
        return answer(selectors.unread_counts(request.user))

    @extend_schema(operation_id="get_thread", responses={200: shapes.ThreadOut})
    def retrieve(self, request: Request, thread_id: UUID) -> HttpResponse:
        """One of your conversations."""
        return _shown(request.user, selectors.access_thread(request.user, thread_id))

    @extend_schema(operation_id="read_thread", request=shapes.ReadUpToIn, responses={200: shapes.ThreadOut})
    def read(self, request: Request, thread_id: UUID) -> HttpResponse:
        """You have read it up to this message. What was read stays read."""
        wanted = shapes.ReadUpToIn.read(request.data)
        return _shown(request.user, services.mark_read(thread_id=thread_id, user=request.user, up_to=wanted["up_to"]))

    @extend_schema(operation_id="mute_thread", request=None, responses={200: shapes.ThreadOut})
    def mute(self, request: Request, thread_id: UUID) -> HttpResponse:
        """Count and mail nothing of it any more."""
        return _shown(request.user, services.set_muted(thread_id=thread_id, user=request.user, muted=True))

    @extend_schema(operation_id="unmute_thread", request=None, responses={200: shapes.ThreadOut})
    def unmute(self, request: Request, thread_id: UUID) -> HttpResponse:
        """Count and mail it again."""
        return _shown(request.user, services.set_muted(thread_id=thread_id, user=request.user, muted=False))

    @extend_schema(
        operation_id="block_other_side",
        request=None,
        responses={200: shapes.ThreadOut, **raises(errors.NothingToBlock)},
    )
    def block(self, request: Request, thread_id: UUID) -> HttpResponse:
        """Let no message pass between this worker and this collective any more, about anything."""
        return _shown(request.user, services.block(thread_id=thread_id, by=request.user))

    @extend_schema(
        operation_id="unblock_other_side",
        request=None,
        responses={200: shapes.ThreadOut, **raises(errors.NothingToBlock)},
    )
    def unblock(self, request: Request, thread_id: UUID) -> HttpResponse:
        """Take back what your side has blocked."""
        return _shown(request.user, services.unblock(thread_id=thread_id, by=request.user))


class MessageViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.MESSAGES

    @extend_schema(operation_id="list_messages", parameters=PARAMETERS, responses={200: shapes.MessageOut(many=True)})
    def list(self, request: Request, thread_id: UUID) -> HttpResponse:
        """What was written in it, newest first."""
        return _messages(request, selectors.access_thread(request.user, thread_id))

    @extend_schema(
        operation_id="send_message",
        request=shapes.MessageIn,
        responses={201: shapes.MessageOut, **raises(*_REFUSALS, errors.AnnouncementsOnly)},
    )
    def create(self, request: Request, thread_id: UUID) -> HttpResponse:
        """Write a message. With the same `Idempotency-Key` it is written once, however often it is sent."""
        wanted = shapes.MessageIn.read(request.data)
        message = services.send_message(thread_id=thread_id, by=request.user, body=wanted["body"])
        return answer(_sight(request.user, [message.thread]).message(message, message.thread), 201)

    @extend_schema(
        operation_id="search_messages",
        parameters=[shapes.SearchQuery],
        responses={200: shapes.FoundOut(many=True)},
    )
    def search(self, request: Request) -> HttpResponse:
        """Messages of your conversations that have these words, those that fit best first."""
        query = shapes.SearchQuery.read(request.query_params)
        found = selectors.found_messages(request.user, query["q"], query["limit"])
        sight = _sight(request.user, [each.message.thread for each in found])
        return answer([sight.found(each) for each in found])

    @extend_schema(operation_id="report_message", request=shapes.ReportIn, responses={204: None})
    def report(self, request: Request, message_id: UUID) -> HttpResponse:
        """Tell the operators that a message should not stand. Once is enough."""
        services.report_message(message_id=message_id, by=request.user, **shapes.ReportIn.read(request.data))
        return answer()


class SettingsViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.SETTINGS

    @extend_schema(operation_id="get_message_settings", responses={200: shapes.SettingsOut})
    def retrieve(self, request: Request) -> HttpResponse:
        """Whether you get mail about messages that you have not read."""
        return answer({"digest": selectors.wants_digest(request.user)})

    @extend_schema(
        operation_id="change_message_settings", request=shapes.SettingsIn, responses={200: shapes.SettingsOut}
    )
    def partial_update(self, request: Request) -> HttpResponse:
        """Get such mail, or none."""
        wanted = shapes.SettingsIn.read(request.data)["digest"]
        services.set_digest(user=request.user, wanted=wanted)
        return answer({"digest": wanted})


class AnnouncementViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.ANNOUNCEMENTS

    @extend_schema(
        operation_id="list_announcements", parameters=PARAMETERS, responses={200: shapes.MessageOut(many=True)}
    )
    def list(self, request: Request, project_id: UUID) -> HttpResponse:
        """What the requester has told everybody who works on a project, newest first."""
        return _messages(request, selectors.announcements_of(request.user, project_id))

    @extend_schema(
        operation_id="make_announcement",
        request=shapes.MessageIn,
        responses={201: shapes.MessageOut, **raises(errors.TooManyMessages, errors.SameText)},
    )
    def create(self, request: Request, project_id: UUID) -> HttpResponse:
        """Tell everybody who works or has worked on a project."""
        wanted = shapes.MessageIn.read(request.data)
        thread, message = services.announce(project_id=project_id, by=request.user, body=wanted["body"])
        return answer(_sight(request.user, [thread]).message(message, thread), 201)


def _messages(request: Request, thread: Thread | None) -> HttpResponse:
    if thread is None:
        return answer([])
    messages, headers = cut(request, selectors.messages_of(thread), ("-number",))
    sight = _sight(request.user, [thread])
    return answer([sight.message(each, thread) for each in messages], headers=headers)


def _shown(user: User, thread: Thread) -> HttpResponse:
    return answer(_sight(user, [thread]).thread(thread))


def _sight(user: User, threads: Iterable[Thread]) -> shapes.Sight:
    """What showing these threads takes, asked for once for all of them."""
    threads = [*threads]
    own = selectors.own_collectives(user)
    spoken_for = {each.collective_id for each in threads if each.kind != Kind.MEMBERS} & own
    action = registry.ANNOUNCE if any(each.kind == Kind.ANNOUNCEMENTS for each in threads) else registry.SEND
    may_write = registry.collectives().where_may(user, action, spoken_for) if spoken_for else ()
    return shapes.Sight(user=user, own=own, names=selectors.names_for(threads), may_write=may_write)
