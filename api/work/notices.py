"""What is told about work before its review: to requesters that answers came in, to workers that a claim ran out."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from django.db import connection

from api.projects.models import Project
from api.realtime import notices
from api.realtime.cursor import Seen
from api.realtime.notices import Notice
from api.work.models import Assignment


def of_answers(events: Sequence[Seen]) -> Iterator[Notice]:
    """New answers to review, and that the last one is in."""
    projects = _projects(events)
    for event in events:
        project = projects[UUID(event.data["project"])]
        yield Notice(project.collective_id, "assignment.submitted", project.id, {"title": project.title})
    for project_id in _all_in(projects):
        project = projects[project_id]
        yield Notice(project.collective_id, "project.finished", project.id, {"title": project.title})


def of_expiry(events: Sequence[Seen]) -> Iterator[Notice]:
    projects = _projects(events)
    workers = dict(
        Assignment.objects.filter(id__in=[event.subject_id for event in events]).values_list("id", "worker_id")
    )
    for event in events:
        project = projects[UUID(event.data["project"])]
        yield Notice(workers[event.subject_id], "assignment.expired", project.id, {"title": project.title})


def _projects(events: Sequence[Seen]) -> dict[UUID, Project]:
    return Project.objects.only("id", "collective_id", "title").in_bulk({event.data["project"] for event in events})


def _all_in(project_ids: Iterable[UUID]) -> list[UUID]:
    """Of these projects, those where no place is open and nobody is at work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.id FROM projects_project p WHERE p.id = ANY(%s::uuid[])"
            " AND NOT EXISTS (SELECT FROM projects_opentask o WHERE o.project_id = p.id)"
            " AND NOT EXISTS (SELECT FROM projects_unfundedplace u WHERE u.project_id = p.id)"
            " AND NOT EXISTS (SELECT FROM work_assignment a WHERE a.project_id = p.id"
            " AND a.state IN ('claimed', 'sent_back'))",
            [list(project_ids)],
        )
        return [row[0] for row in cursor.fetchall()]


def register() -> None:
    notices.register("work.answers", ["assignment.submitted"], of_answers)
    notices.register("work.expiry", ["assignment.expired"], of_expiry)
