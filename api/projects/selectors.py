"""Who sees which project, and what is read of it."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.db import connections, router
from django.db.models import Model, QuerySet

from api.accounts.models import User
from api.collectives import selectors as collectives
from api.core.errors import NotAllowed, NotFound
from api.ledger.models import Purse
from api.projects.models import (
    Batch,
    BatchProblem,
    OpenTask,
    Project,
    ProjectMinute,
    ProjectState,
    ProjectStats,
    Task,
    UnfundedPlace,
    Version,
)


class ListedVersion(NamedTuple):
    """What a list of projects shows of a version."""

    id: UUID
    number: int
    title: str
    summary: str
    reward: int
    assignments_per_task: int
    claim_lasts: timedelta
    auto_accept_after: timedelta
    max_tasks_per_worker: int | None
    keywords: list[str]
    expected_minutes: float | None
    published_at: datetime | None


# What `listed_projects` reads.
_LISTED = (
    *("id", "collective_id", "collective__name", "state", "title", "currency", "draft_id"),
    *("created_at", "published_at", "closed_at", "stats__funded"),
    *(f"stats__{name}" for name in ProjectStats.COUNTS),
    *(f"{which}__{name}" for which in ("published", "draft") for name in ListedVersion._fields),
)


def visible_projects(user: User) -> QuerySet[Project]:
    """The projects of the user's collectives."""
    return Project.objects.filter(collective_id__in=collectives.collective_ids_of(user))


def offered_projects() -> QuerySet[Project]:
    """Projects that workers may look at: those that were published once. What a member sees of them is more."""
    return Project.objects.exclude(state=ProjectState.DRAFT)


def access_project(user: User, project_id: UUID, *, lock: bool = False, alone: bool = False) -> Project:
    """A project of one of the user's collectives, with its collective and versions.

    `lock` keeps other writers away until the transaction ends; `alone` also those who give a place back, who hold a
    key-share lock on the row. Raises NotFound, and NotAllowed for a project that others may see but not manage.
    """
    rows = visible_projects(user).select_related("collective", "published", "draft", "stats")
    if lock or alone:
        # Lock first, read afterwards: joined rows would be as they were before the wait.
        locked = visible_projects(user).select_for_update(no_key=not alone)
        locked.filter(id=project_id).values_list("id").first()
    project = rows.filter(id=project_id).first()
    if project is None:
        if offered_projects().filter(id=project_id).exists():
            raise NotAllowed("Only members of the project's collective may do this.")
        raise NotFound
    return project


def access_offer(project_id: UUID) -> Project:
    """A project as someone who is not a member sees it. Raises NotFound for drafts."""
    rows = offered_projects().select_related("collective", "published", "stats")
    project = rows.filter(id=project_id).first()
    if project is None:
        raise NotFound
    return project


def listed_projects(
    user: User, *, state: str | None = None, text: str = "", collective_id: UUID | None = None
) -> QuerySet[Project, Any]:
    """The user's projects for a list: bare rows, for making models of them took as long as the rest of the page.

    `listed_version` and `listed_counts` read what is joined.
    """
    rows = visible_projects(user)
    if state:
        rows = rows.filter(state=state)
    if text:
        rows = rows.filter(title__icontains=text)
    if collective_id:
        rows = rows.filter(collective_id=collective_id)
    return rows.values_list(*_LISTED, named=True)


def listed_version(row: Any, which: Literal["published", "draft"]) -> ListedVersion | None:
    """A version in a row of `listed_projects`; None where the project has none."""
    start = _LISTED.index(f"{which}__id")
    values = row[start : start + len(ListedVersion._fields)]
    return None if values[0] is None else ListedVersion(*values)


def listed_counts(row: Any) -> dict[str, int]:
    """`ProjectStats.counts` of a row of `listed_projects`; zeros before its first task."""
    start = _LISTED.index(f"stats__{ProjectStats.COUNTS[0]}")
    return {name: row[place] or 0 for place, name in enumerate(ProjectStats.COUNTS, start)}


def escrows_of(project_ids: Collection[UUID]) -> dict[UUID, int]:
    """What is in escrow for each project, in minor units of its currency. One query."""
    rows = Purse.objects.filter(
        kind=Purse.Kind.ESCROW, held_for_kind="project", held_for_id__in=project_ids
    ).values_list("held_for_id", "balance")
    return {project_id: balance for project_id, balance in rows if project_id is not None}


def versions_of(project: Project) -> QuerySet[Version]:
    return Version.objects.filter(project=project)


def access_version(user: User, version_id: UUID) -> Version:
    """A version that was published, for anyone; a draft, for members. Raises NotFound."""
    version = Version.objects.select_related("project").filter(id=version_id).first()
    if version is None:
        raise NotFound
    if version.published_at is None and not visible_projects(user).filter(id=version.project_id).exists():
        raise NotFound
    return version


def visible_batches(user: User) -> QuerySet[Batch]:
    return Batch.objects.filter(project__collective_id__in=collectives.collective_ids_of(user))


def access_batch(user: User, batch_id: UUID) -> Batch:
    """Raises NotFound."""
    batch = visible_batches(user).select_related("project").filter(id=batch_id).first()
    if batch is None:
        raise NotFound
    return batch


def first_problems(batch_ids: Collection[UUID], limit: int = 100) -> dict[UUID, list[BatchProblem]]:
    """The first `limit` problems of each batch, by line. One query."""
    found: dict[UUID, list[BatchProblem]] = {batch_id: [] for batch_id in batch_ids}
    sql = (
        "SELECT p.* FROM unnest(%s::uuid[]) AS b(id), LATERAL ("
        " SELECT * FROM projects_batchproblem WHERE batch_id = b.id ORDER BY line, id LIMIT %s) p"
    )
    for problem in BatchProblem.objects.raw(sql, [list(batch_ids), limit]):
        found[problem.batch_id].append(problem)
    return found


def visible_tasks(user: User) -> QuerySet[Task]:
    return Task.objects.filter(project__collective_id__in=collectives.collective_ids_of(user))


def access_task(user: User, task_id: UUID) -> Task:
    """Raises NotFound."""
    task = visible_tasks(user).select_related("project").filter(id=task_id).first()
    if task is None:
        raise NotFound
    return task


def free_by_position(project_id: UUID, positions: Collection[int]) -> dict[int, int]:
    """Free places at those positions of a project that have any."""
    rows = OpenTask.objects.filter(project_id=project_id, position__in=positions)
    return dict(rows.values_list("position", "free"))


def unfunded_places(project_id: UUID) -> int:
    """Places that wait for money; see UnfundedPlace."""
    return sum(UnfundedPlace.objects.filter(project_id=project_id).values_list("places", flat=True))


def batches_of(project: Project) -> QuerySet[Batch]:
    return Batch.objects.filter(project=project)


def problems_of(batch: Batch) -> QuerySet[BatchProblem]:
    return BatchProblem.objects.filter(batch=batch)


def tasks_of(project: Project) -> QuerySet[Task]:
    return Task.objects.filter(project=project)


def stats_of(project: Project) -> ProjectStats:
    """The project's progress; zeros before its first task."""
    return getattr(project, "stats", None) or ProjectStats(project=project)


Span = Literal["minute", "hour", "day"]
_MOST_POINTS = 1_500


def submitted_over_time(project_id: UUID, by: Span | None = None) -> tuple[Span, list[dict[str, Any]]]:
    """What was submitted and accepted in each span of time in which anything was, oldest first.

    Without `by` the span is chosen so that a chart of the whole project stays readable. At most the newest 1,500
    spans. Reads ProjectMinute by its key.
    """
    rows = ProjectMinute.objects.filter(project_id=project_id)
    if by is None:
        first, last = rows.order_by("at").first(), rows.order_by("-at").first()
        by = _span(first.at, last.at) if first and last else "minute"
    with connections[router.db_for_read(ProjectMinute)].cursor() as cursor:
        cursor.execute(
            "SELECT date_trunc(%s, at, 'UTC') AS span, sum(submitted), sum(accepted) FROM projects_projectminute"
            " WHERE project_id = %s GROUP BY span ORDER BY span DESC LIMIT %s",
            [by, project_id, _MOST_POINTS],
        )
        found = [
            {"at": at, "submitted": int(submitted), "accepted": int(accepted)}
            for at, submitted, accepted in cursor.fetchall()
        ]
    return by, found[::-1]


def _span(first: datetime, last: datetime) -> Span:
    hours = (last - first).total_seconds() / 3600
    if hours <= 6:
        return "minute"
    return "hour" if hours <= 24 * 14 else "day"


def own_projects(user: User) -> Iterator[Any]:
    """The projects a user made, each with its versions, for the export of their data."""
    rows = Project.objects.filter(created_by=user).order_by("id").prefetch_related("versions")
    for project in rows.iterator(chunk_size=100):
        versions = project.versions.all()
        yield {
            **_fields_of(project),
            "versions": [
                {
                    **_fields_of(each),
                    "claim_lasts": int(each.claim_lasts.total_seconds()),
                    "auto_accept_after": int(each.auto_accept_after.total_seconds()),
                }
                for each in sorted(versions, key=lambda version: version.number)
            ],
        }


def own_batches(user: User) -> Iterator[Any]:
    """The imports a user made. The tasks themselves are the project's, and downloaded with its results."""
    for batch in Batch.objects.filter(created_by=user).order_by("id").iterator():
        yield _fields_of(batch)


def _fields_of(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
