"""The feed: what a worker may work on, with what an hour of it earns. One statement for a page of cards."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections, router

from api.accounts.models import User
from api.core.errors import NotFound
from api.core.money import money
from api.projects.models import Project

# Orders of the feed, the largest first: an indexed column of `projects_offer`, and its type in a cursor.
SORTS = {
    "newest": ("published_at", "timestamptz"),
    "wage": ("wage", "bigint"),
    "reward": ("reward", "bigint"),
    "left": ("open_places", "bigint"),
}

_CARD = """
SELECT p.id, p.published_at, p.currency, p.last_position, v.id AS version, v.title, v.summary, v.keywords, v.reward,
       v.expected_minutes, v.auto_accept_after, v.claim_lasts, v.max_tasks_per_worker,
       c.id AS requester, c.name AS requester_name,
       s.median_seconds, s.hourly_wage, s.open_places, s.accepted, s.rejected, s.median_review_seconds,
       w.taken, h.id IS NOT NULL AS hidden,
       (SELECT sum(upper(r) - lower(r)) FROM unnest(w.seen) r) AS seen,
       (SELECT count(*) FROM (
        SELECT 1 FROM projects_opentask o
         WHERE o.project_id = p.id AND o.reopened IS NOT NULL
           AND (o.reopened, o.position) > (w.reopened_seen, w.reopened_position) LIMIT 1000) r) AS given_back,
       o.sort_key
  FROM ({offers}) o
  JOIN projects_project p ON p.id = o.project_id
  JOIN projects_version v ON v.id = p.published_id
  JOIN collectives_collective c ON c.id = p.collective_id
  JOIN projects_projectstats s ON s.project_id = p.id
  LEFT JOIN work_participation w ON w.worker_id = %(worker)s AND w.project_id = p.id
  LEFT JOIN work_hidden h ON h.worker_id = %(worker)s AND h.project_id = p.id
"""
# The page is found in the narrow table, walking an index; only its rows are joined to the wide ones. Left for this
# worker: an unseen position, or a place given back since they last looked.
_OFFERS = """
SELECT f.project_id, f.{key} AS sort_key
  FROM projects_offer f
  LEFT JOIN work_participation w ON w.worker_id = %(worker)s AND w.project_id = f.project_id
 WHERE f.open_places > 0
   AND f.collective_id <> %(worker)s
   AND (w.taken IS NULL OR f.max_tasks_per_worker IS NULL OR w.taken < f.max_tasks_per_worker)
   AND (w.seen IS NULL OR NOT w.seen @> int4range(0, f.last_position + 1) OR EXISTS (
        SELECT 1 FROM projects_opentask o
         WHERE o.project_id = f.project_id AND o.reopened IS NOT NULL
           AND (o.reopened, o.position) > (w.reopened_seen, w.reopened_position)))
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a worker asked the feed for. `min_wage` is in minor units an hour."""

    sort: str = "newest"
    text: str = ""
    keyword: str = ""
    min_wage: int | None = None
    requester: UUID | None = None
    hidden: bool = False
    after: tuple[Any, str] | None = None
    limit: int = 50


def feed(worker: User, wanted: Wanted) -> list[dict[str, Any]]:
    """One page of cards, `limit` + 1 of them when there are more. One query."""
    key, kind = SORTS[wanted.sort]
    sql = _OFFERS.format(key=key)
    values: dict[str, Any] = {"worker": worker.id, "limit": wanted.limit + 1}
    # Said as it is for the planner's sake: of a join it thinks that hardly a row is left, and then sorts all projects.
    hides = "EXISTS (SELECT 1 FROM work_hidden x WHERE x.worker_id = %(worker)s AND x.project_id = f.project_id)\n"
    sql += f"   AND {hides}" if wanted.hidden else f"   AND NOT {hides}"
    if wanted.text:
        escaped = wanted.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values["text"] = f"%{escaped}%"
        sql += "   AND f.text LIKE lower(%(text)s)\n"
    if wanted.keyword:
        values["keyword"] = wanted.keyword
        sql += "   AND %(keyword)s = ANY(f.keywords)\n"
    if wanted.min_wage is not None:
        values["min_wage"] = wanted.min_wage
        sql += "   AND f.wage >= %(min_wage)s\n"
    if wanted.requester is not None:
        values["requester"] = wanted.requester
        sql += "   AND f.collective_id = %(requester)s\n"
    if wanted.after is not None:
        values["after_key"], values["after_id"] = wanted.after
        sql += f"   AND (f.{key}, f.project_id) < (%(after_key)s::{kind}, %(after_id)s::uuid)\n"
    sql += f" ORDER BY f.{key} DESC, f.project_id DESC LIMIT %(limit)s"
    return _rows(_CARD.format(offers=sql) + " ORDER BY o.sort_key DESC, p.id DESC", values)


def feed_card(worker: User, project_id: UUID) -> dict[str, Any]:
    """The card of one published project, whether or not anything in it is left for this worker. Raises NotFound."""
    offer = "SELECT project_id, published_at AS sort_key FROM projects_offer WHERE project_id = %(project)s"
    rows = _rows(_CARD.format(offers=offer), {"worker": worker.id, "project": project_id})
    if not rows:
        raise NotFound
    return rows[0]


def _rows(sql: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with connections[router.db_for_read(Project)].cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def as_card(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the feed as the API shows it."""
    decided = (row["accepted"] or 0) + (row["rejected"] or 0)
    return {
        "project": row["id"],
        "title": row["title"],
        "summary": row["summary"],
        "requester": {"id": row["requester"], "name": row["requester_name"]},
        "keywords": row["keywords"],
        "reward": money(row["reward"], row["currency"]),
        "median_seconds": row["median_seconds"],
        **_wage(row),
        "tasks_left": tasks_left(row),
        "review_seconds": row["median_review_seconds"],
        "rejection_rate": row["rejected"] / decided if decided else None,
        "decisions_counted": decided,
        "expected_minutes": row["expected_minutes"],
        "auto_accept_after": int(row["auto_accept_after"].total_seconds()),
        "claim_lasts": int(row["claim_lasts"].total_seconds()),
        "max_tasks_per_worker": row["max_tasks_per_worker"],
        "published_at": row["published_at"],
        "hidden": row["hidden"],
        "mine": row["taken"] or 0,
    }


def tasks_left(row: dict[str, Any]) -> int:
    """At most this many tasks are left for the worker: open places, at positions not yet seen or given back since."""
    unseen = row["last_position"] + 1 - int(row["seen"] or 0)
    left: int = min(row["open_places"] or 0, max(unseen, 0) + row["given_back"])
    if row["max_tasks_per_worker"] is not None:
        left = min(left, max(0, row["max_tasks_per_worker"] - (row["taken"] or 0)))
    return left


def _wage(row: dict[str, Any]) -> dict[str, Any]:
    """The hourly wage: measured when people have done the task, else from the requester's expected minutes."""
    if row["hourly_wage"] is not None:
        return {"hourly_wage": money(row["hourly_wage"], row["currency"]), "hourly_wage_measured": True}
    if row["expected_minutes"]:
        promised = int(row["reward"] * 60 / row["expected_minutes"])
        return {"hourly_wage": money(promised, row["currency"]), "hourly_wage_measured": False}
    return {"hourly_wage": None, "hourly_wage_measured": False}
