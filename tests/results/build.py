"""Projects with answers, as bare rows."""

import csv
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from api.accounts.models import User
from api.collectives.models import Pseudonym
from api.projects.models import Project, Task
from api.work.models import Assignment
from tests import factories
from tests.work.build import published_project

DATA = Path(__file__).resolve().parent.parent / "data"

LABEL_SCHEMA = {
    "type": "object",
    "properties": {
        "sure": {"type": "boolean"},
        "label": {"type": "string", "enum": ["0", "1", "2", "3"]},
        "why": {"type": "array", "items": {"type": "string"}},
    },
    "additionalProperties": False,
}


def worker_of(project: Project, name: str) -> User:
    """A new user whom the project's collective knows as `name`."""
    worker = factories.make_user(name)
    Pseudonym.objects.create(collective_id=project.collective_id, worker=worker, alias=name)
    return worker


def give_answers(project: Project, answers: Iterable[tuple[int, User, Any]], **fields: Any) -> list[Assignment]:
    """Submitted answers (position, worker, answer), each 20 seconds after its claim."""
    tasks = {task.position: task for task in Task.objects.filter(project=project)}
    now = timezone.now()
    rows = [
        Assignment(
            **{
                "project": project,
                "version": project.published,
                "task": tasks[position],
                "worker": worker,
                "position": position,
                "state": "submitted",
                "reward": 15,
                "claimed_at": now - timedelta(seconds=20),
                "expires_at": now + timedelta(minutes=15),
                "submitted_at": now,
                "answer": answer,
                **fields,
            }
        )
        for position, worker, answer in answers
    ]
    return Assignment.objects.bulk_create(rows)


def real_project(owner: User, name: str) -> Project:
    """A project with the answers of one of the data sets; the truth is each task's gold, its number is its key."""
    with (DATA / name / "answers.csv").open(newline="") as file:
        answers: Sequence[list[str]] = list(csv.reader(file))[1:]
    with (DATA / name / "truth.csv").open(newline="") as file:
        truth = dict(list(csv.reader(file))[1:])
    questions = list(dict.fromkeys(row[0] for row in answers))
    project = published_project(owner, tasks=len(questions), answer_schema=LABEL_SCHEMA)
    for task in Task.objects.filter(project=project):
        question = questions[task.position]
        task.key, task.gold = question, {"label": truth[question]}
        task.save()
    workers = {alias: worker_of(project, f"w{alias}") for alias in dict.fromkeys(row[1] for row in answers)}
    positions = {question: position for position, question in enumerate(questions)}
    give_answers(
        project, ((positions[row[0]], workers[row[1]], {"label": row[2]}) for row in answers), state="accepted"
    )
    return project


def many_answers(project: Project, worker: User, count: int) -> None:
    """Turn `project` into one with `count` tasks, each with an accepted answer of `worker`, in two statements."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO projects_task (id, project_id, batch_id, position, input)"
            " SELECT gen_random_uuid(), %s, %s, n, jsonb_build_object('n', n, 'text', repeat('x', 100))"
            " FROM generate_series((SELECT max(position) + 1 FROM projects_task WHERE project_id = %s), %s) n",
            [project.id, Task.objects.filter(project=project).values_list("batch_id")[0], project.id, count - 1],
        )
        cursor.execute(
            "INSERT INTO work_assignment (id, project_id, version_id, task_id, worker_id, position, state, reward,"
            " expires_at, answer, submitted_at, late)"
            " SELECT gen_random_uuid(), t.project_id, %s, t.id, %s, t.position, 'accepted', 15, now(),"
            " jsonb_build_object('label', (t.position %% 4)::text), now(), false"
            " FROM projects_task t WHERE t.project_id = %s",
            [project.published_id, worker.id, project.id],
        )
