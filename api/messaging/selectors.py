"""Who sees which threads, and what is read of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank, SearchVector
from django.db.models import Case, Exists, F, FilteredRelation, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from api.accounts.models import User
from api.core.errors import NotFound
from api.messaging import registry
from api.messaging.models import SEARCHED_AS, Block, Correspondent, Kind, Mark, Message, Side, Thread

MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A message that was searched for; `excerpt` marks what matched between START and END."""

    message: Message
    excerpt: str


# Characters that no text has: a body with control characters is refused.
START, END = "\x02", "\x03"


def visible_threads(user: User) -> QuerySet[Thread]:
    """Threads of which the user is the worker, those of the user's collectives, and announcements of their projects."""
    own = Thread.objects.filter(worker=user).values("id")
    of_collectives = Thread.objects.filter(collective_id__in=registry.collectives().ids_of(user)).values("id")
    announced = Thread.objects.filter(
        kind=Kind.ANNOUNCEMENTS, project_id__in=registry.workers().projects_of(user)
    ).values("id")
    # A union, for each part has an index of its own; alternatives in one condition would read the whole table.
    return Thread.objects.filter(id__in=own.union(of_collectives, announced, all=True))


def access_thread(user: User, thread_id: UUID, *, lock: bool = False) -> Any:
    """One thread that the user may see, as `with_marks` gives it. Raises NotFound."""
    if lock:
        Thread.objects.select_for_update(no_key=True).filter(id=thread_id).values_list("id").first()
    thread = with_marks(visible_threads(user), user).filter(id=thread_id).first()
    if thread is None:
        raise NotFound
    return thread


def with_marks(rows: QuerySet[Thread], user: User) -> QuerySet[Any]:
    """Adds `read`, `muted`, `unread`, `blocked` (by either side) and `blocked_by_me`, with the newest message."""
    blocks = Block.objects.filter(worker_id=OuterRef("worker_id"), collective_id=OuterRef("collective_id"))
    mine = blocks.filter(side=Case(When(Q(worker_id=user.pk), then=Value(Side.WORKER)), default=Value(Side.COLLECTIVE)))
    return rows.annotate(
        mark=FilteredRelation("marks", condition=Q(marks__user=user)),
        read=Coalesce(F("mark__read"), 0, output_field=IntegerField()),
        muted=Coalesce(F("mark__muted"), False),
        unread=F("messages") - F("read"),
        blocked=Exists(blocks),
        blocked_by_me=Exists(mine),
    ).select_related("newest", "newest__author")


def listed_threads(
    user: User, *, unread: bool = False, about: tuple[str, UUID] | None = None, project: UUID | None = None, q: str = ""
) -> QuerySet[Any]:
    """The user's threads that have messages. `q` is looked for in their titles and pseudonyms."""
    rows = with_marks(visible_threads(user), user).filter(messages__gt=0)
    if unread:
        rows = rows.filter(unread__gt=0)
    if about:
        rows = rows.filter(about_kind=about[0], about_id=about[1])
    if project:
        rows = rows.filter(project_id=project)
    if q:
        rows = rows.filter(Q(title__icontains=q) | (Q(alias__iexact=q) & ~Q(worker=user)))
    return rows


def unread_counts(user: User) -> dict[str, int]:
    """How many threads, and messages in them, the user has not read and not muted; at most `MOST_COUNTED` threads."""
    rows = with_marks(visible_threads(user), user).filter(unread__gt=0, muted=False)
    counts = list(rows.values_list("unread", flat=True)[:MOST_COUNTED])
    return {"threads": len(counts), "messages": sum(counts)}


def messages_of(thread: Thread) -> QuerySet[Message]:
    return Message.objects.filter(thread=thread).select_related("author")


def access_message(user: User, message_id: UUID) -> Message:
    """One message of a thread that the user may see. Raises NotFound."""
    rows = Message.objects.filter(thread__in=visible_threads(user)).select_related("author", "thread")
    message = rows.filter(id=message_id).first()
    if message is None:
        raise NotFound
    return message


def found_messages(user: User, text: str, limit: int) -> list[Found]:
    """Messages of the user's threads that have all the words of `text`, those that fit best first.

    `text` as people write it for search engines: "quoted words", or, -without. Hidden messages are not searched.
    """
    query = SearchQuery(text, config=SEARCHED_AS, search_type="websearch")
    vector = SearchVector("body", config=SEARCHED_AS)
    headline = SearchHeadline(
        "body", query, config=SEARCHED_AS, start_sel=START, stop_sel=END, max_words=30, min_words=10
    )
    rows = (
        Message.objects.filter(thread__in=visible_threads(user), hidden_at=None)
        .annotate(vector=vector)
        .filter(vector=query)
        .annotate(rank=SearchRank(vector, query))
        .order_by("-rank", "-id")
    )
    best = list(rows.values_list("id", flat=True)[:limit])
    # The excerpt of a message costs more than finding it, so only of those that are shown.
    texts = Message.objects.filter(id__in=best).select_related("author", "thread").annotate(excerpt=headline)
    by_id = {each.id: each for each in texts}
    return [Found(by_id[id_], by_id[id_].excerpt) for id_ in best]


def own_collectives(user: User) -> frozenset[UUID]:
    """The ids of the user's collectives."""
    return frozenset(registry.collectives().ids_of(user))


def side_of(user: User, thread: Thread, own: Collection[UUID]) -> Side:
    """For whom the user writes in a thread that they may see. `own` are their collectives."""
    if thread.worker_id == user.pk or thread.collective_id not in own:
        return Side.WORKER
    return Side.COLLECTIVE


def names_for(threads: Iterable[Thread]) -> dict[UUID, str]:
    """The names of the threads' collectives by id. One query."""
    return dict(registry.collectives().names_of({thread.collective_id for thread in threads}))


def others_of(user: User, thread: Thread) -> list[UUID]:
    """Who is at the other end of a talk, or who the other members are; nobody for announcements, which are many."""
    if thread.kind == Kind.ANNOUNCEMENTS:
        return []
    if thread.worker_id == user.pk:
        return [each for each in registry.collectives().members_of(thread.collective_id) if each != user.pk]
    if thread.worker_id is not None:
        return [thread.worker_id]
    return [each for each in registry.collectives().members_of(thread.collective_id) if each != user.pk]


def concerned(user_id: UUID, frame: Mapping[str, Any]) -> tuple[list[UUID], dict[str, Any]] | None:
    """Whom it concerns that the user is typing in a thread, or whose presence they may ask for; and under which name.

    None where the user may not see the thread, where it is everybody's, and where one side has blocked the other.
    """
    user = User.objects.filter(id=user_id, is_active=True).first()
    try:
        thread_id = UUID(str(frame.get("thread")))
    except ValueError:
        return None
    thread = with_marks(visible_threads(user), user).filter(id=thread_id).first() if user else None
    if user is None or thread is None or thread.blocked or thread.kind == Kind.ANNOUNCEMENTS:
        return None
    name = thread.alias if thread.worker_id == user.pk else user.shown_name
    return others_of(user, thread), {"thread": str(thread.id), "name": name}


def concerned_by_presence(user_id: UUID, frame: Mapping[str, Any]) -> tuple[list[UUID], dict[str, Any]] | None:
    found = concerned(user_id, frame)
    return None if found is None else (found[0], {"thread": found[1]["thread"]})


def own_messages(user: User) -> Iterator[Any]:
    """What the user wrote, for the export of their data."""
    rows = Message.objects.filter(author=user).order_by("id")
    yield from rows.values("thread_id", "number", "side", "body", "at", about=F("thread__title")).iterator()


def own_marks(user: User) -> Iterator[Any]:
    """Which threads the user has read how far, for the export of their data."""
    rows = Mark.objects.filter(user=user).order_by("id")
    yield from rows.values("thread_id", "read", "muted", about=F("thread__title")).iterator()


def wants_digest(user: User) -> bool:
    """Whether the user wants mail about messages that they have not read; at first they do."""
    row = Correspondent.objects.filter(user=user).values_list("wants_digest", flat=True).first()
    return True if row is None else row


def announcements_of(user: User, project_id: UUID) -> Thread | None:
    """The announcements about a project that the user may look at; None while there are none. Raises NotFound."""
    registry.projects().seen(user, project_id)
    return Thread.objects.filter(kind=Kind.ANNOUNCEMENTS, about_kind="project", about_id=project_id).first()
