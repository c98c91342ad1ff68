"""Offers: what the feed sorts and searches by, kept by the database."""

import random
from contextlib import suppress
from time import sleep

import pytest
from django.db import connection, transaction

from api.collectives.models import Collective
from api.projects.models import Offer, Project, ProjectStats, Version
from api.projects.services.rollup import roll_up
from api.work import services as work
from api.work.errors import NoTaskLeft, ProjectNotOpen, WorkerLimit
from tests.factories import make_user
from tests.work.build import published_project

EXPECTED = """
SELECT p.id, p.collective_id, p.published_at, v.reward,
       CASE WHEN s.hourly_wage IS NOT NULL THEN s.hourly_wage
            WHEN v.expected_minutes > 0 THEN (v.reward * 60 / v.expected_minutes)::bigint ELSE 0 END,
       s.open_places, p.last_position, v.max_tasks_per_worker, v.keywords,
       lower(v.title || E'\\n' || v.summary || E'\\n' || c.name || E'\\n' || array_to_string(v.keywords, ' '))
  FROM projects_project p, projects_version v, projects_projectstats s, collectives_collective c
 WHERE p.state = 'published' AND v.id = p.published_id AND s.project_id = p.id AND c.id = p.collective_id
"""


def check() -> int:
    """Every offer is what its project is, and there are no others. How many there are."""
    with connection.cursor() as cursor:
        cursor.execute(EXPECTED)
        expected = cursor.fetchall()
        cursor.execute(
            "SELECT project_id, collective_id, published_at, reward, wage, open_places, last_position,"
            " max_tasks_per_worker, keywords, text FROM projects_offer"
        )
        found = cursor.fetchall()
    assert sorted(found) == sorted(expected)
    return len(found)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_an_offer_follows_whatever_changes(seed) -> None:
    chance = random.Random(seed)
    owners = [make_user(f"Owner {n}") for n in range(3)]
    workers = [make_user(f"Worker {n}") for n in range(3)]
    projects = [
        published_project(
            chance.choice(owners),
            tasks=5,
            places=2,
            title=f"Ducks {n}",
            summary="Éin Überblick",
            keywords=["Birds", f"kind{n}"],
            reward=n,
            expected_minutes=chance.choice([None, 0.5, 3]),
        )
        for n in range(6)
    ]
    assert check() == 6
    for number in range(40):
        project = chance.choice(projects)
        act = chance.randrange(7)
        if act == 0:
            Project.objects.filter(id=project.id).update(state=chance.choice(["paused", "published", "closed"]))
        elif act == 1:
            version = Version.objects.create(
                project=project,
                number=number + 2,
                title=f"Geese {number}",
                reward=number,
                max_tasks_per_worker=chance.choice([None, 2]),
                published_at=project.published_at,
            )
            Project.objects.filter(id=project.id).update(published=version)
        elif act == 2:
            Collective.objects.filter(id=project.collective_id).update(name=f"Renamed {number}")
        elif act == 3:
            Project.objects.filter(id=project.id).update(last_position=number + 10)
        elif act == 4:
            ProjectStats.objects.filter(project=project).update(open_places=number)
        else:
            with suppress(ProjectNotOpen, NoTaskLeft, WorkerLimit):
                work.claim_next(worker_id=chance.choice(workers).id, project_id=project.id)
            roll_up()
        check()


@pytest.mark.django_db
def test_what_is_taken_away_has_no_offer() -> None:
    project = published_project(make_user("Owner"))
    assert Offer.objects.count() == 1
    Project.objects.filter(id=project.id).update(state="closed")
    assert Offer.objects.count() == 0


@pytest.mark.django_db
def test_an_offer_that_stays_the_same_is_not_written_again() -> None:
    project = published_project(make_user("Owner"))

    def place() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ctid::text FROM projects_offer WHERE project_id = %s", [project.id])
            return cursor.fetchone()[0]

    before = place()
    ProjectStats.objects.filter(project=project).update(submitted=3)
    Project.objects.filter(id=project.id).update(title="Another")
    assert place() == before


@pytest.mark.django_db(transaction=True)
def test_rolling_up_and_changing_projects_do_not_lock_each_other_out(together) -> None:
    owner, worker = make_user("Owner"), make_user("Worker")
    projects = [published_project(owner, tasks=40, title=f"Ducks {n}") for n in range(4)]

    def roll() -> None:
        for _ in range(30):
            roll_up()

    def change(order) -> None:
        for number in range(15):
            for project in order:
                # As importing does, in one transaction: an offer must not be held while progress is waited for.
                with transaction.atomic():
                    Project.objects.filter(id=project.id).update(last_position=39 + number)
                    sleep(0.005)
                    ProjectStats.objects.filter(project=project).update(tasks=40)

    def take() -> None:
        for _ in range(10):
            for project in projects:
                claim = work.claim_next(worker_id=worker.id, project_id=project.id)
                work.submit_answer(assignment_id=claim.id, worker_id=worker.id, answer={"label": "duck"})

    def rename() -> None:
        for number in range(20):
            Collective.objects.filter(id=owner.id).update(name=f"Owner {number}")

    done = together(roll, take, rename, lambda: change(projects), lambda: change(projects[::-1]))
    assert done == [None] * 5
    roll_up()
    check()
    assert set(ProjectStats.objects.values_list("open_places", flat=True)) == {30}
