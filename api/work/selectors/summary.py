"""A worker's own figures: what is in hand, what was earned, and what an hour of it brought."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connections, router
from django.utils import timezone

from api.accounts.models import User
from api.core.money import money
from api.work.models import Assignment

# How many days, today included, are told one by one.
DAYS = 30

_STATES = """
SELECT state, count(*) FROM work_assignment WHERE worker_id = %s GROUP BY state
"""
# Each accepted answer is earned on the day it was accepted; bonuses and part payments are in the purse's statement.
# Days begin where Python says: its list of time zones and the database's need not be the same.
_DAYS = """
SELECT width_bucket(a.decided_at, %(days)s::timestamptz[]), sum(a.reward), count(*),
       sum(extract(epoch FROM a.submitted_at - a.claimed_at))
  FROM work_assignment a JOIN projects_project p ON p.id = a.project_id
 WHERE a.worker_id = %(worker)s AND a.state = 'accepted' AND p.currency = %(currency)s
   AND a.decided_at >= (%(days)s::timestamptz[])[1]
 GROUP BY 1 ORDER BY 1
"""
_TOTALS = """
SELECT COALESCE(sum(a.reward) FILTER (WHERE a.state = 'accepted'), 0),
       COALESCE(sum(a.reward) FILTER (WHERE a.state = 'submitted'), 0),
       COALESCE(sum(a.reward) FILTER (WHERE a.state = 'accepted' AND a.decided_at >= %(today)s), 0),
       COALESCE(sum(a.reward) FILTER (WHERE a.state = 'accepted' AND a.decided_at >= %(week)s), 0),
       COALESCE(sum(a.reward) FILTER (WHERE a.state = 'accepted' AND a.decided_at >= %(month)s), 0),
       sum(extract(epoch FROM a.submitted_at - a.claimed_at)) FILTER (WHERE a.state = 'accepted')
  FROM work_assignment a JOIN projects_project p ON p.id = a.project_id
 WHERE a.worker_id = %(worker)s AND p.currency = %(currency)s
"""
_PROJECTS = """
SELECT p.id, p.title, count(*) FILTER (WHERE a.state = 'accepted'), count(*) FILTER (WHERE a.state = 'submitted'),
       count(*) FILTER (WHERE a.state = 'rejected'),
       COALESCE(sum(a.reward) FILTER (WHERE a.state = 'accepted'), 0),
       sum(extract(epoch FROM a.submitted_at - a.claimed_at)) FILTER (WHERE a.state = 'accepted')
  FROM work_assignment a JOIN projects_project p ON p.id = a.project_id
 WHERE a.worker_id = %(worker)s AND p.currency = %(currency)s
 GROUP BY p.id, p.title ORDER BY max(a.id::text) DESC LIMIT 50
"""


def work_summary(worker: User, currency: str) -> dict[str, Any]:
    """Counts by state, earnings in `currency` by day, week, month and project, and the wage of an hour of it.

    Days are the worker's own. Hours are measured from claim to submit, of accepted work only. Four queries.
    """
    zone = _zone_of(worker)
    today_on = timezone.now().astimezone(zone).date()

    def start(on: date) -> datetime:
        return datetime.combine(on, time.min, zone)

    dates = [today_on - timedelta(days=ago) for ago in reversed(range(DAYS))]
    values: dict[str, Any] = {
        "worker": worker.id,
        "currency": currency,
        "days": [start(on) for on in dates],
        "today": start(today_on),
        "week": start(today_on - timedelta(days=today_on.weekday())),
        "month": start(today_on.replace(day=1)),
    }
    with connections[router.db_for_read(Assignment)].cursor() as cursor:
        cursor.execute(_STATES, [worker.id])
        states = dict(cursor.fetchall())
        cursor.execute(_TOTALS, values)
        total, pending, today, week, month, seconds = cursor.fetchone()
        cursor.execute(_DAYS, values)
        days = cursor.fetchall()
        cursor.execute(_PROJECTS, values)
        projects = cursor.fetchall()
    return {
        **{state: states.get(state, 0) for state in ("claimed", "sent_back", "submitted", "accepted", "rejected")},
        "earned": {
            "today": money(today, currency),
            "week": money(week, currency),
            "month": money(month, currency),
            "total": money(total, currency),
            "pending": money(pending, currency),
        },
        "hourly_wage": _wage(total, seconds, currency),
        "by_day": [
            {
                "on": dates[day - 1].isoformat(),
                "earned": money(earned, currency),
                "accepted": accepted,
                "seconds": float(worked or 0),
            }
            for day, earned, accepted, worked in days
        ],
        "by_project": [
            {
                "project": project,
                "title": title,
                "accepted": accepted,
                "pending": waiting,
                "rejected": rejected,
                "earned": money(earned, currency),
                "hourly_wage": _wage(earned, worked, currency),
            }
            for project, title, accepted, waiting, rejected, earned, worked in projects
        ],
    }


def _zone_of(worker: User) -> tzinfo:
    """The worker's time zone; UTC where this machine does not know it (any more)."""
    try:
        return ZoneInfo(worker.timezone)
    except (KeyError, ValueError, OSError):
        return UTC


def _wage(earned: int, seconds: float | None, currency: str) -> dict[str, Any] | None:
    return money(int(float(earned) * 3600 / float(seconds)), currency) if seconds else None
