"""A published project made of bare rows, for tests that need no money and no import."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from api.accounts.models import User
from api.core.ids import uuid7
from api.projects.models import Batch, OpenTask, Project, ProjectStats, Task, Version

ANSWER_SCHEMA = {
    "type": "object",
    "properties": {"label": {"type": "string", "enum": ["duck", "no duck"]}},
    "required": ["label"],
    "additionalProperties": False,
}


def published_project(owner: User, *, tasks: int = 3, places: int = 1, **version: Any) -> Project:
    """A project with `tasks` open tasks of `places` places each, `{"n": 0}` and so on as their inputs."""
    now = timezone.now()
    project = Project.objects.create(
        collective_id=owner.id,
        state="published",
        title="Ducks",
        currency="USD",
        assignments_per_task=places,
        last_position=tasks - 1,
        created_by=owner,
        published_at=now,
    )
    fields = {
        "title": "Ducks",
        "reward": 15,
        "claim_lasts": timedelta(minutes=15),
        "answer_schema": ANSWER_SCHEMA,
        "assignments_per_task": places,
        **version,
    }
    project.published = Version.objects.create(project=project, published_at=now, **fields)
    project.save()
    batch = Batch.objects.create(project=project, format="json", on_error="refuse", added=tasks, created_by=owner)
    rows = [
        Task(id=uuid7(), project=project, batch=batch, position=n, key=f"t{n}", input={"n": n}) for n in range(tasks)
    ]
    Task.objects.bulk_create(rows)
    OpenTask.objects.bulk_create(
        [OpenTask(project=project, position=row.position, task=row, free=places) for row in rows]
    )
    ProjectStats.objects.update_or_create(project=project, defaults={"tasks": tasks, "open_places": tasks * places})
    return project


def places_are_right(project: Project) -> None:
    """Each task's free places and live assignments make up its places exactly."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.position, COALESCE(o.free, 0), count(a.id)
              FROM projects_task t
              LEFT JOIN projects_opentask o ON o.project_id = t.project_id AND o.position = t.position
              LEFT JOIN work_assignment a ON a.task_id = t.id
                    AND (a.state IN ('claimed', 'submitted', 'sent_back', 'accepted')
                         OR a.state = 'rejected' AND a.settles_at IS NOT NULL)
             WHERE t.project_id = %s GROUP BY 1, 2 HAVING COALESCE(o.free, 0) + count(a.id) <> %s
            """,
            [project.id, project.assignments_per_task],
        )
        wrong = cursor.fetchall()
    assert wrong == []
