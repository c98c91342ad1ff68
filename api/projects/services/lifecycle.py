"""From draft to closed: making, changing, publishing, pausing and closing projects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from api.accounts.models import User
from api.collectives import services as collectives
from api.collectives.models import Collective
from api.collectives.selectors import visible_collectives
from api.core.errors import FieldError, Invalid
from api.core.money import fee_of
from api.ledger.models import Purse
from api.ledger.selectors import balance_of
from api.projects import errors, interface, schemas
from api.projects.models import (
    Batch,
    Project,
    ProjectState,
    ProjectStats,
    Task,
    UnfundedPlace,
    Version,
)
from api.projects.selectors import access_batch, access_project, access_task, stats_of, unfunded_places
from api.projects.services import escrow, places
from api.projects.services.checks import effective_schemas, publishing_problems, task_problems
from api.realtime import outbox

# What an edit may name, as the model has it; `reward` comes with its currency.
EDITABLE = frozenset(
    {
        "title",
        "summary",
        "instructions",
        "interface",
        "input_schema",
        "answer_schema",
        "reward",
        "assignments_per_task",
        "claim_lasts",
        "auto_accept_after",
        "max_tasks_per_worker",
        "keywords",
        "expected_minutes",
    }
)


@dataclass(frozen=True, slots=True)
class Quote:
    """What publishing a project costs, in minor units of its currency.

    `assignments` is how many places are paid for now; `fee` and `total` are for all of them. When a published
    project has a new version, only a change of price moves money: `total` is then what its open places cost more
    (negative: what comes back). `missing` is how much the purse is short.
    """

    tasks: int
    assignments: int
    reward: int
    fee_bps: int
    fee: int
    total: int
    purse: int
    missing: int
    hourly_wage: int | None
    unfunded_places: int
    problems: list[FieldError]


@transaction.atomic
def create_project(*, by: User, fields: Mapping[str, Any], collective_id: UUID | None = None) -> Project:
    """Make a draft for a collective of the user's, by default their own.

    `fields` are those of `EDITABLE`; what is left out has a default, and only publishing asks for all of it. Raises
    Invalid for an unknown collective or documents that cannot be, and what `govern` raises.
    """
    collective = _collective(by, collective_id or by.id)
    project = Project(collective=collective, title=fields["title"], currency=settings.CURRENCY, created_by=by)
    collectives.govern(actor=by, action="project.create", subject=project)
    version = Version(project=project, number=1, title=fields["title"])
    _apply(project, version, fields)
    project.save(force_insert=True)
    version.save(force_insert=True)
    Project.objects.filter(id=project.id).update(draft=version)
    ProjectStats.objects.create(project=project)
    return access_project(by, project.id)


@transaction.atomic
def edit_project(*, project_id: UUID, by: User, fields: Mapping[str, Any]) -> Project:
    """Change the draft version, making one from the published version when there is none.

    What is published stays as it is until the draft is published. Raises NotFound, ProjectClosed, Invalid, and what
    `govern` raises.
    """
    project = access_project(by, project_id, lock=True)
    collectives.govern(actor=by, action="project.edit", subject=project)
    if project.state == ProjectState.CLOSED:
        raise errors.ProjectClosed
    version = project.draft or _next_version(project)
    before = effective_schemas(version)[0]
    _apply(project, version, fields)
    version.save()
    project.draft = version
    if stats_of(project).tasks and effective_schemas(version)[0] != before:
        project.inputs_unchecked = True
    if project.published is None:
        project.title = version.title
    project.save(update_fields=["draft", "title", "currency", "inputs_unchecked"])
    return access_project(by, project_id)


@transaction.atomic
def discard_draft(*, project_id: UUID, by: User) -> Project:
    """Throw away the changes to a published project that were not published. Doing it twice is the same as once."""
    project = access_project(by, project_id, lock=True)
    collectives.govern(actor=by, action="project.edit", subject=project)
    if project.published is None:
        raise errors.WrongState("This project was never published; delete it instead.")
    draft = project.draft
    if draft is not None:
        Project.objects.filter(id=project.id).update(draft=None, inputs_unchecked=False)
        gone = Version.objects.filter(id=draft.id)
        gone._raw_delete(gone.db)
    return access_project(by, project_id)


@transaction.atomic
def delete_project(*, project_id: UUID, by: User) -> None:
    """Delete a project that was never published, with its tasks and batches. Raises NotFound and NotADraft."""
    project = access_project(by, project_id, alone=True)
    collectives.govern(actor=by, action="project.edit", subject=project)
    if project.state != ProjectState.DRAFT:
        raise errors.NotADraft("A project that was published is kept. Close it instead.")
    # Not by the ORM's cascade, which looks for assignments of every task; a draft has none.
    with connection.cursor() as cursor:
        for table in ("task", "batchproblem", "batch", "projectminute", "projectstats", "version"):
            where = "project_id = %s"
            if table == "batchproblem":
                where = "batch_id IN (SELECT id FROM projects_batch WHERE project_id = %s)"
            cursor.execute(f"DELETE FROM projects_{table} WHERE {where}", [project.id])  # noqa: S608
        cursor.execute("DELETE FROM projects_project WHERE id = %s", [project.id])


@transaction.atomic
def delete_task(*, task_id: UUID, by: User) -> None:
    """Delete one task of a project that was never published. Raises NotFound and NotADraft."""
    project = access_project(by, access_task(by, task_id).project_id, lock=True)
    collectives.govern(actor=by, action="project.edit", subject=project)
    if project.state != ProjectState.DRAFT:
        raise errors.NotADraft("Tasks of a project that was published are kept.")
    gone = Task.objects.filter(id=task_id)
    _forget_tasks(project, gone._raw_delete(gone.db))


@transaction.atomic
def delete_batch(*, batch_id: UUID, by: User) -> None:
    """Delete an import and its tasks from a project that was never published. Raises NotFound and NotADraft."""
    project = access_project(by, access_batch(by, batch_id).project_id, lock=True)
    collectives.govern(actor=by, action="project.edit", subject=project)
    if project.state != ProjectState.DRAFT:
        raise errors.NotADraft("Imports of a project that was published are kept.")
    gone = Task.objects.filter(project=project, batch_id=batch_id)
    _forget_tasks(project, gone._raw_delete(gone.db))
    Batch.objects.filter(id=batch_id).delete()


def quote(*, project_id: UUID, by: User) -> Quote:
    """What publishing would cost now, and what keeps it from being published. Counts no big table."""
    project = access_project(by, project_id)
    version = project.draft or project.published
    if version is None:
        raise errors.WrongState
    stats = stats_of(project)
    fee_bps = project.fee_bps if project.published else settings.FEE_BPS
    fee = fee_of(version.reward, fee_bps)
    if project.published is None:
        assignments = stats.tasks * version.assignments_per_task
        total = assignments * (version.reward + fee)
    else:
        assignments = stats.open_places if project.state != ProjectState.CLOSED else 0
        total = assignments * (version.reward + fee - places.unit_cost(project.published.reward, project))
    purse = balance_of(owner_id=project.collective_id, currency=project.currency)
    wage = round(version.reward * 60 / version.expected_minutes) if version.expected_minutes else None
    return Quote(
        tasks=stats.tasks,
        assignments=assignments,
        reward=version.reward,
        fee_bps=fee_bps,
        fee=assignments * fee,
        total=total,
        purse=purse,
        missing=max(0, total - purse),
        hourly_wage=wage,
        unfunded_places=unfunded_places(project.id),
        problems=publishing_problems(project, version),
    )


@transaction.atomic
def publish_project(*, project_id: UUID, by: User) -> Project:
    """Publish the draft version.

    The first time, the whole cost moves from the collective's purse into escrow and every task opens. Later, open
    places are funded anew when the price has changed; assignments that exist keep the version and reward they were
    claimed at, and a paused project stays paused. A published project with no draft is left as it is, so that
    publishing twice is the same as once.

    Raises NotReady with one error for each field, ledger's InsufficientFunds, ProjectClosed, NothingToPublish, and
    what `govern` raises.
    """
    project = access_project(by, project_id, alone=True)
    collectives.govern(actor=by, action="project.publish", subject=project)
    if project.state == ProjectState.CLOSED:
        raise errors.ProjectClosed
    version = project.draft
    if version is None:
        if project.state == ProjectState.PUBLISHED:
            return project
        raise errors.NothingToPublish
    if found := publishing_problems(project, version):
        raise errors.NotReady(errors=found)
    _settle_schemas(project, version)
    if project.published is None:
        _publish_first(project, version, by)
    else:
        _publish_again(project, project.published, version, by)
    outbox.publish(
        "project.published",
        subject=project.id,
        audience=[project.collective_id],
        data={"project": str(project.id), "version": version.number},
    )
    return access_project(by, project_id)


@transaction.atomic
def pause_project(*, project_id: UUID, by: User) -> Project:
    """Let nobody claim any more until it is resumed; what is claimed goes on. Twice is the same as once."""
    return _turn(project_id, by, "project.pause", ProjectState.PUBLISHED, ProjectState.PAUSED, "project.paused")


@transaction.atomic
def resume_project(*, project_id: UUID, by: User) -> Project:
    """Let workers claim again, and open places that waited for money if there is enough now."""
    # Alone: a place that is given back meanwhile and finds no money would be taken for one of those opened here.
    access_project(by, project_id, alone=True)
    project = _turn(project_id, by, "project.resume", ProjectState.PAUSED, ProjectState.PUBLISHED, "project.resumed")
    _reopen_unfunded(project, by)
    return project


@transaction.atomic
def close_project(*, project_id: UUID, by: User) -> Project:
    """End a published project: open places go, and their money returns to the collective's purse.

    Work that is claimed or waits for review stays funded and goes on. Closing twice is the same as once. Raises
    NotFound, and WrongState for a draft.
    """
    project = access_project(by, project_id, alone=True)
    collectives.govern(actor=by, action="project.close", subject=project)
    if project.state == ProjectState.CLOSED:
        return project
    if project.published is None:
        raise errors.WrongState("A draft is not closed; delete it instead.")
    with connection.cursor() as cursor:
        # Waits for claims under way, and counts what they leave.
        cursor.execute(
            "WITH gone AS (DELETE FROM projects_opentask WHERE project_id = %s RETURNING free)"
            " SELECT COALESCE(sum(free), 0) FROM gone",
            [project.id],
        )
        free = int(cursor.fetchone()[0])
    UnfundedPlace.objects.filter(project=project).delete()
    # Only now: it locks the project's progress, which the roll-up writes, and the above may take long.
    project.state = ProjectState.CLOSED
    project.closed_at = timezone.now()
    project.save(update_fields=["state", "closed_at"])
    escrow.move(
        project=project,
        amount=-free * places.unit_cost(project.published.reward, project),
        by=by.id,
        key=f"close:{project.id}",
        memo=f"Closed {project.title}",
    )
    ProjectStats.objects.filter(project=project).update(open_places=F("open_places") - free)
    _tell(project, "project.closed", by)
    return access_project(by, project_id)


def refuse_open_projects(user: User, forfeit: bool) -> None:
    """A step of closing an account: raises WorkOpen while projects of the user's own collective go on or owe money."""
    open_ = Project.objects.filter(
        collective_id=user.id, state__in=[ProjectState.PUBLISHED, ProjectState.PAUSED]
    ).values_list("id", "title")
    owing = Project.objects.filter(
        collective_id=user.id,
        state=ProjectState.CLOSED,
        id__in=Purse.objects.filter(
            owner_id=user.id, kind=Purse.Kind.ESCROW, held_for_kind="project", balance__gt=0
        ).values("held_for_id"),
    ).values_list("id", "title")
    found = [*open_, *owing]
    if found:
        raise errors.WorkOpen(projects=[{"id": str(id_), "title": title} for id_, title in found])


def _collective(by: User, collective_id: UUID) -> Collective:
    collective = visible_collectives(by).filter(id=collective_id, closed_at=None).first()
    if collective is None:
        raise Invalid(errors=[FieldError("collective", "You belong to no such collective.", "not_found")])
    return collective


def _next_version(project: Project) -> Version:
    """A copy of the published version to change; not saved."""
    if project.published is None:
        raise ValueError("A project that was never published has a draft.")
    highest = Version.objects.filter(project=project).aggregate(highest=Max("number"))["highest"]
    copied = {name: getattr(project.published, name) for name in EDITABLE}
    return Version(project=project, number=highest + 1, **copied)


def _apply(project: Project, version: Version, fields: Mapping[str, Any]) -> None:
    """Set `fields` on a draft. Raises Invalid for documents that cannot be, and for another currency."""
    if unknown := set(fields) - EDITABLE:
        raise ValueError(f"No version has {min(unknown)}.")
    found = []
    for name in ("input_schema", "answer_schema"):
        if name in fields:
            found += schemas.check_schema(fields[name], name)
    if "interface" in fields:
        found += _half_made(fields["interface"])
    values = dict(fields)
    if "reward" in fields:
        values["reward"], currency = fields["reward"]["amount"], fields["reward"]["currency"]
        if project.published is not None and currency != project.currency:
            detail = f"This project pays in {project.currency}."
            found.append(FieldError("reward.currency", detail, "fixed"))
        project.currency = currency
    if found:
        raise Invalid(errors=found)
    for name, value in values.items():
        setattr(version, name, value)


def _half_made(document: dict[str, Any]) -> list[FieldError]:
    """A draft keeps an interface that is not finished, but no larger than one can be."""
    return [each for each in interface.check_shape(document) if each.code == "too_long"]


def _settle_schemas(project: Project, version: Version) -> None:
    """Give the version the schemas its elements imply where it has none, and check the tasks when they changed."""
    version.input_schema, version.answer_schema = effective_schemas(version)
    changed = project.published is not None and project.published.input_schema != version.input_schema
    if (changed or project.inputs_unchecked) and (found := task_problems(project, version.input_schema)):
        raise errors.NotReady(errors=found)


def _publish_first(project: Project, version: Version, by: User) -> None:
    now = timezone.now()
    project.state = ProjectState.PUBLISHED
    project.published_at = now
    project.assignments_per_task = version.assignments_per_task
    project.fee_bps = settings.FEE_BPS
    _pin(project, version)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO projects_opentask (project_id, position, task_id, free)"
            " SELECT project_id, position, id, %s FROM projects_task WHERE project_id = %s",
            [version.assignments_per_task, project.id],
        )
        opened = cursor.rowcount * version.assignments_per_task
    escrow.fund_places(project=project, places=opened, by=by, key=f"publish:{version.id}")
    ProjectStats.objects.filter(project=project).update(open_places=F("open_places") + opened)


def _publish_again(project: Project, old: Version, version: Version, by: User) -> None:
    change = places.unit_cost(version.reward, project) - places.unit_cost(old.reward, project)
    if version.reward != old.reward:
        facts = {"from": old.reward, "to": version.reward, "currency": project.currency}
        collectives.govern(actor=by, action="price.set", subject=project, facts=facts)
        # A claim reads the price once it has its place. With all open places locked, those claimed so far have the
        # old price and those claimed later the new one, and the sum is of what is left.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT COALESCE(sum(free), 0) FROM ("
                "SELECT free FROM projects_opentask WHERE project_id = %s ORDER BY position FOR UPDATE) AS o",
                [project.id],
            )
            free = int(cursor.fetchone()[0])
        _pin(project, version)
        escrow.move(
            project=project,
            amount=free * change,
            by=by.id,
            key=f"publish:{version.id}",
            memo=f"New price in {project.title}",
        )
        _remeasure_wage(project, version.reward)
    else:
        _pin(project, version)
    _reopen_unfunded(project, by)


def _pin(project: Project, version: Version) -> None:
    """Make `version` the published one; from here on the database refuses to change it."""
    version.published_at = timezone.now()
    version.save()
    project.published = version
    project.draft = None
    project.title = version.title
    project.inputs_unchecked = False
    project.save()


def _remeasure_wage(project: Project, reward: int) -> None:
    """The hourly wage at the new price; from now on the roll-up keeps it."""
    stats = ProjectStats.objects.select_for_update().filter(project=project).first()
    if stats is not None and stats.median_seconds:
        stats.hourly_wage = round(reward * 3600 / stats.median_seconds)
        stats.save(update_fields=["hourly_wage"])


def _reopen_unfunded(project: Project, by: User) -> None:
    opened = places.reopen_unfunded(project=project, by=by.id)
    if opened:
        outbox.publish("place.reopened", subject=project.id, data={"project": str(project.id), "places": opened})


def _turn(project_id: UUID, by: User, action: str, start: ProjectState, end: ProjectState, event: str) -> Project:
    project = access_project(by, project_id, lock=True)
    collectives.govern(actor=by, action=action, subject=project)
    if project.state == end:
        return project
    if project.state != start:
        raise errors.WrongState(f"Only a {start} project can be {event.partition('.')[2]}.")
    project.state = end
    project.save(update_fields=["state"])
    _tell(project, event, by)
    return project


def _tell(project: Project, event: str, by: User) -> None:
    data = {"project": str(project.id), "by": str(by.id)}
    outbox.publish(event, subject=project.id, audience=[project.collective_id], data=data)


def _forget_tasks(project: Project, count: int) -> None:
    ProjectStats.objects.filter(project=project).update(tasks=F("tasks") - count)
