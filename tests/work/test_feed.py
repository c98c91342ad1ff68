"""The feed beside its meaning in plain Python: the same cards, in the same order, over all pages."""

import random
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.utils import timezone

from api.accounts.models import User
from api.projects.models import OpenTask, Project, ProjectStats
from api.work.models import Hidden, Participation
from tests.factories import make_user
from tests.work.build import published_project

pytestmark = pytest.mark.django_db

SORTS = ("newest", "wage", "reward", "left")
TASKS = 3


def market(chance: random.Random, worker: User) -> None:
    """Projects of every kind, few values for each key, so that many are equal."""
    owners = [worker, *(make_user(name) for name in ("Pond Ltd", "Éclair & Söhne", "100%_real"))]
    now = timezone.now()
    for number in range(36):
        project = published_project(
            chance.choice(owners),
            tasks=TASKS,
            title=chance.choice(["Count ducks", "Read RECEIPTS", "Sort 100% of ponds"]),
            summary=chance.choice(["", "Ponds in Île-de-France", "a_b"]),
            keywords=chance.choice([[], ["birds"], ["birds", "text_entry"]]),
            reward=chance.choice([0, 7, 7, 20]),
            expected_minutes=chance.choice([None, 0.5, 3]),
            max_tasks_per_worker=chance.choice([None, None, 1, 2]),
        )
        state = chance.choice(["published"] * 6 + ["paused", "closed"])
        published_at = now - timedelta(minutes=chance.randrange(4))
        Project.objects.filter(id=project.id).update(state=state, published_at=published_at)
        ProjectStats.objects.filter(project=project).update(
            hourly_wage=chance.choice([None, None, 400, 840]), open_places=chance.choice([0, 1, 1, 2, 50])
        )
        if chance.random() < 0.2:
            Hidden.objects.create(worker=worker, project=project)
        if chance.random() < 0.5:
            _have_been_in(chance, worker, project, number)


def _have_been_in(chance: random.Random, worker: User, project: Project, number: int) -> None:
    seen = chance.choice(["{}", "{[0,1)}", "{[0,1),[2,3)}", "{[0,3)}", "{[0,3)}"])
    row = Participation.objects.create(
        worker=worker,
        project=project,
        next_position=0,
        taken=chance.randrange(3),
        reopened_seen=chance.choice([0, 100]),
        reopened_position=1,
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE work_participation SET seen = %s::int4multirange WHERE id = %s", [seen, row.id])
    if chance.random() < 0.5:
        given_back = OpenTask.objects.filter(project=project, position=chance.randrange(TASKS))
        given_back.update(reopened=chance.choice([50, 100, 150]))


def is_left(worker: User, project: Project) -> bool:
    """Whether the worker may take something in it, as far as the feed looks."""
    if project.state != "published" or project.collective_id == worker.id or project.stats.open_places < 1:
        return False
    been = Participation.objects.filter(worker=worker, project=project).first()
    if been is None:
        return True
    most = project.published.max_tasks_per_worker
    if most is not None and been.taken >= most:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seen @> n FROM work_participation, generate_series(0, %s) n WHERE id = %s", [TASKS - 1, been.id]
        )
        if not all(row[0] for row in cursor.fetchall()):
            return True
    mark = (been.reopened_seen, been.reopened_position)
    reopened = OpenTask.objects.filter(project=project, reopened__isnull=False)
    return any(mark < (each.reopened, each.position) for each in reopened)


def wage_of(project: Project) -> int:
    if project.stats.hourly_wage is not None:
        return project.stats.hourly_wage
    minutes = project.published.expected_minutes
    return round(project.published.reward * 60 / minutes) if minutes else 0


def fits(worker: User, project: Project, wanted: dict[str, Any]) -> bool:
    version = project.published
    texts = (version.title, version.summary, project.collective.name, " ".join(version.keywords))
    return (
        Hidden.objects.filter(worker=worker, project=project).exists() == bool(wanted.get("hidden"))
        and any(wanted.get("q", "").lower() in text.lower() for text in texts)
        and set(wanted.get("keyword", "").split()) <= set(version.keywords)
        and wage_of(project) >= wanted.get("min_wage", 0)
        and wanted.get("requester", project.collective_id) == project.collective_id
    )


def expected(worker: User, sort: str, wanted: dict[str, Any]) -> list[str]:
    keys = {
        "newest": lambda project: project.published_at,
        "wage": wage_of,
        "reward": lambda project: project.published.reward,
        "left": lambda project: project.stats.open_places,
    }
    projects = Project.objects.select_related("published", "stats", "collective")
    found = [each for each in projects if is_left(worker, each) and fits(worker, each, wanted)]
    found.sort(key=lambda project: (keys[sort](project), project.id), reverse=True)
    return [str(each.id) for each in found]


def pages(client: Any, query: dict[str, Any]) -> list[list[str]]:
    """The ids on each page, following the links until there is none."""
    following, found = "/api/v1/feed?" + urlencode(query), []
    while following:
        response = client.get(following)
        assert response.status_code == 200, response.content
        found.append([card["project"] for card in response.json()])
        following = response.get("Link", "").partition(">")[0].removeprefix("<http://testserver")
    return found


@pytest.mark.parametrize("seed", range(3))
def test_every_order_and_filter_gives_the_cards_it_should_over_all_pages(api, seed) -> None:
    chance = random.Random(seed)
    worker = make_user("Worker")
    market(chance, worker)
    client = api(worker)
    requester = Project.objects.exclude(collective_id=worker.id).first().collective_id
    filters: list[dict[str, Any]] = [
        {},
        {"q": "DUCK"},
        {"q": "100%"},
        {"q": "0%_r"},
        {"q": "a_b"},
        {"q": "éclair & s"},
        {"q": "île"},
        {"q": "birds text"},
        {"q": "nothing of it"},
        {"keyword": "birds"},
        {"keyword": "bird"},
        {"min_wage": 840},
        {"requester": requester},
        {"hidden": "true"},
        {"hidden": "true", "q": "pond", "min_wage": 1},
        {"requester": requester, "keyword": "birds", "q": "ponds"},
    ]
    shown = 0
    for wanted in filters:
        for sort in SORTS:
            found = pages(client, {"sort": sort, "limit": 4, **wanted})
            ids = [each for page in found for each in page]
            assert ids == expected(worker, sort, wanted), (sort, wanted)
            assert {len(page) for page in found[:-1]} <= {4}, (sort, wanted)
            shown += len(ids)
    assert shown > 100


def test_a_page_goes_on_behind_its_last_card_when_that_is_gone(api) -> None:
    client = api(make_user("Worker"))
    owner = make_user("Owner")
    ids = [str(published_project(owner, reward=5).id) for _ in range(4)]
    first = client.get("/api/v1/feed?sort=reward&limit=2")
    assert [card["project"] for card in first.json()] == [ids[3], ids[2]]
    Project.objects.filter(id=ids[2]).update(state="paused")
    published_project(owner, reward=6)
    following = first["Link"].partition(">")[0].removeprefix("<http://testserver")
    assert [card["project"] for card in client.get(following).json()] == [ids[1], ids[0]]
