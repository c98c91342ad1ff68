"""What members of a collective see of the work done for it. Workers appear under their pseudonyms."""

import contextlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from django.db import connections, router
from django.db.models import Q, QuerySet, Sum
from django.db.models.expressions import RawSQL

from api.accounts.models import User
from api.collectives.models import Pseudonym
from api.collectives.selectors import collective_ids_of
from api.core.errors import NotFound
from api.ledger.models import Entry, Transfer
from api.projects.models import Project
from api.results.selectors import answer_keys
from api.work.models import Assignment, State

# A longer text in a filter is text and nothing else, so that it cannot stand for something deeply nested.
_LONGEST_VALUE = 500


def visible_reviews(user: User) -> QuerySet[Assignment]:
    """Assignments of the projects of the user's collectives."""
    return Assignment.objects.filter(project__collective_id__in=collective_ids_of(user))


def access_review(user: User, assignment_id: UUID, *, lock: bool = False) -> Assignment:
    """One assignment that the user's collective may review, locked when it is to be changed. Raises NotFound."""
    rows = visible_reviews(user).select_related("project")
    if lock:
        rows = rows.select_for_update(of=("self",))
    assignment = rows.filter(id=assignment_id).first()
    if assignment is None:
        raise NotFound
    return assignment


def with_aliases(rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """Adds `alias`, the name under which the project's collective knows the worker."""
    return rows.annotate(
        alias=RawSQL(
            "(SELECT n.alias FROM collectives_pseudonym n JOIN projects_project p ON p.collective_id = n.collective_id"
            " WHERE p.id = work_assignment.project_id AND n.worker_id = work_assignment.worker_id)",
            [],
        )
    )


def matching(project: Project, wanted: Mapping[str, Any]) -> QuerySet[Assignment]:
    """The assignments of a project that match a filter.

    Keys: `state` (one or several), `worker` (a pseudonym), `task` (an id or a key), `answer` (key → value), `late`,
    `submitted_after`, `submitted_before`, `q` (text anywhere in the answer).
    """
    rows = Assignment.objects.filter(project=project)
    if state := wanted.get("state"):
        rows = rows.filter(state__in=[state] if isinstance(state, str) else list(state))
    if alias := wanted.get("worker"):
        worker = Pseudonym.objects.filter(collective_id=project.collective_id, alias=alias.upper())
        rows = rows.filter(worker_id__in=worker.values("worker_id"))
    if task := wanted.get("task"):
        # A key may look like an id: hashes do.
        same_task = Q(task__key=task)
        if _is_uuid(task):
            same_task |= Q(task_id=task)
        rows = rows.filter(same_task)
    for key, value in (wanted.get("answer") or {}).items():
        same = Q(answer__contains={key: value})
        # From a query everything comes as text; a number or a truth value is stored as such.
        if isinstance(value, str) and len(value) <= _LONGEST_VALUE:
            with contextlib.suppress(orjson.JSONDecodeError):
                same |= Q(answer__contains={key: orjson.loads(value)})
        rows = rows.filter(same)
    if wanted.get("late") is not None:
        rows = rows.filter(late=wanted["late"])
    if since := wanted.get("submitted_after"):
        rows = rows.filter(submitted_at__gte=since)
    if until := wanted.get("submitted_before"):
        rows = rows.filter(submitted_at__lt=until)
    if text := wanted.get("q"):
        rows = rows.extra(where=["work_assignment.answer::text ILIKE %s"], params=[f"%{_escaped(_as_in_json(text))}%"])
    return rows


def others_on_task(assignment: Assignment) -> dict[str, Any] | None:
    """How many of up to 200 other answers to the same task agree with this one; None when it holds no label.

    Compared by the key that results are aggregated by when none is named. Wants `project` selected.
    """
    answer = assignment.answer or {}
    key = next((each for each in answer_keys(assignment.project) if each in answer), None)
    if key is None:
        return None
    with connections[router.db_for_read(Assignment)].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE o.value = m.answer -> %(key)s), count(*)"
            "  FROM work_assignment m, LATERAL ("
            "       SELECT a.answer -> %(key)s AS value FROM work_assignment a"
            "        WHERE a.task_id = m.task_id AND a.id <> m.id AND a.answer IS NOT NULL LIMIT 200) o"
            " WHERE m.id = %(id)s",
            {"key": key, "id": assignment.id},
        )
        agree, of = cursor.fetchone()
    return {"key": key, "agree": agree, "of": of}


def paid_beyond(assignment: Assignment) -> int:
    """What was paid to the worker beyond the reward, in minor units: bonuses and a part payment."""
    entries = Entry.objects.filter(
        transfer__subject_id=assignment.id,
        transfer__kind__in=[Transfer.Kind.BONUS, Transfer.Kind.PARTIAL],
        amount__gt=0,
    )
    return entries.aggregate(paid=Sum("amount"))["paid"] or 0


def worker_in_project(assignment: Assignment) -> dict[str, int]:
    """How many answers of this worker in this project were submitted, accepted and rejected."""
    with connections[router.db_for_read(Assignment)].cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM work_assignment a WHERE worker_id = %s AND project_id = %s GROUP BY state",
            [assignment.worker_id, assignment.project_id],
        )
        states = dict(cursor.fetchall())
    return {state.value: states.get(state.value, 0) for state in (State.SUBMITTED, State.ACCEPTED, State.REJECTED)}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _as_in_json(text: str) -> str:
    """`text` as it stands inside a JSON string: quotes, backslashes and line breaks are escaped there."""
    return orjson.dumps(text)[1:-1].decode()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
