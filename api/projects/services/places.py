"""What happens to a place, and to the money it is funded with, when an assignment gives it back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from api.core.money import fee_of
from api.ledger import services as ledger
from api.ledger.errors import InsufficientFunds
from api.ledger.models import Transfer
from api.projects.models import Project, ProjectState, UnfundedPlace, Version
from api.realtime import outbox


@dataclass(frozen=True, slots=True)
class Freed:
    """A place that an assignment no longer holds, and the reward it was funded with (minor units)."""

    assignment_id: UUID
    position: int
    task_id: UUID
    reward: int


def unit_cost(reward: int, project: Project) -> int:
    """What one assignment at `reward` costs its requester: the reward and the hall's fee."""
    return reward + fee_of(reward, project.fee_bps)


@transaction.atomic
def free_places(*, project: Project, freed: Sequence[Freed]) -> int:
    """Give places back. Returns how many are open again; the caller tells of them (`place.reopened`).

    While the project is published or paused, each place opens for another worker at today's price: the difference
    to what it was funded with is settled with the purse. When the purse cannot pay a raised price, the place's money
    goes back to it and the place waits as an UnfundedPlace. Once the project is closed there are no places any more
    and the money goes back to the purse.

    The caller's transaction holds at least a key-share lock on the project, so that it is not closed or repriced
    meanwhile, and a lock on each assignment.
    """
    if not freed:
        return 0
    if project.state == ProjectState.CLOSED:
        _move(project, [(each, -unit_cost(each.reward, project)) for each in freed])
        return 0
    cost = _price(project)
    changes = [(each, cost - unit_cost(each.reward, project)) for each in freed]
    waiting: list[Freed] = []
    try:
        _move(project, changes)
    except InsufficientFunds:
        waiting = [each for each, change in changes if change > 0]
        _move(
            project,
            [(each, -unit_cost(each.reward, project) if change > 0 else change) for each, change in changes],
        )
        _keep_unfunded(project, waiting)
    apart = {each.assignment_id for each in waiting}
    reopened = [each for each in freed if each.assignment_id not in apart]
    _open(project.id, reopened)
    return len(reopened)


def reopen_unfunded(*, project: Project, by: UUID) -> int:
    """Open the places that wait for money, if the purse can pay for all of them. Returns how many were opened.

    The caller holds the project's lock and publishes what it did.
    """
    rows = list(UnfundedPlace.objects.filter(project=project).order_by("position"))
    places = sum(row.places for row in rows)
    if not places:
        return 0
    amount = places * _price(project)
    escrow = ledger.hold_of(
        kind="project", subject_id=project.id, owner_id=project.collective_id, currency=project.currency
    )
    purse = ledger.purse_of(owner_id=project.collective_id, currency=project.currency)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        xid = cursor.fetchone()[0]
    try:
        ledger.transfer(
            key=f"reopen:{project.id}:{xid}",
            kind=Transfer.Kind.FUND,
            lines=[(purse.id, -amount), (escrow.id, amount)],
            memo=f"{places} places reopened in {project.title}"[:200],
            by=by,
            subject=("project", project.id),
        )
    except InsufficientFunds:
        return 0
    _open_places(project.id, [(row.position, row.task_id, row.places) for row in rows])
    UnfundedPlace.objects.filter(project=project).delete()
    _tell_funded(project, amount)
    return places


def _price(project: Project) -> int:
    """What one place costs at the published version."""
    if project.published_id is None:
        raise ValueError("A project that was never published has no places.")
    return unit_cost(Version.objects.values_list("reward", flat=True).get(id=project.published_id), project)


def _keep_unfunded(project: Project, freed: Sequence[Freed]) -> None:
    places = Counter((each.position, each.task_id) for each in freed)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO projects_unfundedplace AS u (project_id, position, task_id, places)"
            " SELECT %s, * FROM unnest(%s::int[], %s::uuid[], %s::int[])"
            " ON CONFLICT (project_id, position) DO UPDATE SET places = u.places + EXCLUDED.places",
            [project.id, *_columns([(*key, count) for key, count in places.items()])],
        )


def _open(project_id: UUID, freed: Sequence[Freed]) -> None:
    places = Counter((each.position, each.task_id) for each in freed)
    if places:
        _open_places(project_id, [(*key, count) for key, count in places.items()])


def _open_places(project_id: UUID, places: Sequence[tuple[int, UUID, int]]) -> None:
    # The transaction's id marks the place, so that workers who have passed it find it again. In the order of
    # positions, so that two who give places back cannot deadlock.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO projects_opentask AS o (project_id, position, task_id, free, reopened)"
            " SELECT %s, p.position, p.task_id, p.free, pg_current_xact_id()::text::bigint"
            " FROM unnest(%s::int[], %s::uuid[], %s::int[]) AS p(position, task_id, free) ORDER BY p.position"
            " ON CONFLICT (project_id, position) DO UPDATE"
            " SET free = o.free + EXCLUDED.free, reopened = EXCLUDED.reopened",
            [project_id, *_columns(places)],
        )


def _columns(places: Sequence[tuple[int, UUID, int]]) -> list[list[object]]:
    return [list(column) for column in zip(*places, strict=True)]


def _move(project: Project, changes: Sequence[tuple[Freed, int]]) -> None:
    """Move the amounts into the project's escrow (negative: back to the purse). Raises InsufficientFunds."""
    due = [(each, amount) for each, amount in changes if amount]
    if not due:
        return
    escrow = ledger.hold_of(
        kind="project", subject_id=project.id, owner_id=project.collective_id, currency=project.currency
    )
    purse = ledger.purse_of(owner_id=project.collective_id, currency=project.currency)
    ledger.transfer_many(
        moves=[
            ledger.Move(
                key=f"free:{each.assignment_id}",
                kind=Transfer.Kind.FUND if amount > 0 else Transfer.Kind.RELEASE,
                lines=[(purse.id, -amount), (escrow.id, amount)],
                memo=f"Place given back in {project.title}"[:200],
                subject=("assignment", each.assignment_id),
            )
            # What comes back to the purse first may pay for what rises.
            for each, amount in sorted(due, key=lambda item: item[1])
        ]
    )
    _tell_funded(project, sum(amount for _, amount in due))


def _tell_funded(project: Project, amount: int) -> None:
    """The roll-up adds it to the project's `funded`; its row is not locked here, where places are."""
    if amount:
        outbox.publish("escrow.changed", subject=project.id, data={"project": str(project.id), "funded": amount})
