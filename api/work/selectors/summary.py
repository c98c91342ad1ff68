"""A worker's own figures: what is in hand, what was earned, and what an hour of it brought."""

from typing import Any

from django.db import connection

from api.accounts.models import User
from api.core.money import money

_STATES = """
SELECT state, count(*) FROM work_assignment WHERE worker_id = %s GROUP BY state
"""
# Each accepted answer is earned on the day it was accepted; bonuses and part payments are in the purse's statement.
_DAYS = """
SELECT (a.decided_at AT TIME ZONE %(zone)s)::date AS on_day, p.currency, sum(a.reward), count(*),
       sum(extract(epoch FROM a.submitted_at - a.claimed_at))
  FROM work_assignment a JOIN projects_project p ON p.id = a.project_id
 WHERE a.worker_id = %(worker)s AND a.state = 'accepted' AND p.currency = %(currency)s
   AND a.decided_at >= (date_trunc('day', now() AT TIME ZONE %(zone)s) - interval '29 days') AT TIME ZONE %(zone)s
 GROUP BY 1, 2 ORDER BY 1
"""
_TOTALS = """
SELECT COALESCE(sum(a.reward) FILTER (WHERE a.state = 'accepted'), 0),
       COALESCE(sum(a.reward) FILTER (WHERE a.state = 'submitted'), 0),
       COALESCE(sum(a.reward) FILTER (WHERE a.state = 'accepted' AND a.decided_at >=
           date_trunc('day', now() AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s), 0),
       COALESCE(sum(a.reward) FILTER (WHERE a.state = 'accepted' AND a.decided_at >=
           date_trunc('week', now() AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s), 0),
       COALESCE(sum(a.reward) FILTER (WHERE a.state = 'accepted' AND a.decided_at >=
           date_trunc('month', now() AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s), 0),
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

    Hours are measured from claim to submit, of accepted work only. Four queries.
    """
    values: dict[str, Any] = {"worker": worker.id, "currency": currency, "zone": worker.timezone}
    with connection.cursor() as cursor:
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
                "on": day.isoformat(),
                "earned": money(earned, code),
                "accepted": accepted,
                "seconds": float(worked or 0),
            }
            for day, code, earned, accepted, worked in days
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


def _wage(earned: int, seconds: float | None, currency: str) -> dict[str, Any] | None:
    return money(int(float(earned) * 3600 / float(seconds)), currency) if seconds else None
