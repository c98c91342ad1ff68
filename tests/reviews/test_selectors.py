"""Filters of the review list: what matches and what does not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from api.collectives.models import Pseudonym
from api.projects.models import Task
from api.reviews import selectors
from api.work.models import Assignment
from tests.factories import make_user
from tests.results.build import LABEL_SCHEMA, give_answers, worker_of
from tests.work.build import published_project

pytestmark = pytest.mark.django_db

ANSWERS = [
    {"label": "1", "sure": True, "n": 3, "note": "50% of a duck_1"},
    {"label": "10", "sure": False, "n": 3.5, "note": 'said "quack" \\ twice\nthen left'},
    {"label": "0", "sure": "true", "n": "3", "note": "Ente im Fluß"},
    {"label": None, "tags": ["a", "b"], "note": "505 of a duckx1"},
]


@pytest.fixture
def project():
    made = published_project(make_user("Owner"), tasks=4)
    worker = worker_of(made, "AAAA2222")
    give_answers(made, [(position, worker, answer) for position, answer in enumerate(ANSWERS)])
    return made


def found(project, **wanted) -> list[int]:
    return sorted(selectors.matching(project, wanted).values_list("position", flat=True))


@pytest.mark.parametrize(
    ("answer", "positions"),
    [
        ({"label": "1"}, [0]),
        ({"label": "10"}, [1]),
        ({"label": 1}, []),
        ({"label": "null"}, [3]),
        ({"label": None}, [3]),
        ({"sure": "true"}, [0, 2]),
        ({"sure": True}, [0]),
        ({"sure": "false"}, [1]),
        ({"n": "3"}, [0, 2]),
        ({"n": 3}, [0]),
        ({"n": "3.5"}, [1]),
        ({"n": "3.0"}, [0]),
        ({"n": "1e999"}, []),
        ({"tags": "a"}, []),
        ({"tags": '["a"]'}, [3]),
        ({"label": "1", "sure": "false"}, []),
        ({"nothing": "1"}, []),
        ({"label": "1'; --"}, []),
        ({"": ""}, []),
    ],
)
def test_by_the_value_of_an_answer(project, answer, positions):
    assert found(project, answer=answer) == positions


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("DUCK", [0, 3]),
        ("50%", [0]),
        ("duck_1", [0]),
        ("%", [0]),
        ("_", [0]),
        ('"quack"', [1]),
        ("\\ twice", [1]),
        ("twice\nthen", [1]),
        ("fluß", [2]),
        ("swan", []),
    ],
)
def test_by_text_anywhere_in_the_answer(project, text, positions):
    assert found(project, q=text) == positions


def test_by_state_worker_and_time(project):
    other = worker_of(project, "BBBB3333")
    Assignment.objects.filter(position=1).update(state="accepted", worker=other, late=True)
    Assignment.objects.filter(position=2).update(state="rejected", submitted_at=timezone.now() - timedelta(days=2))
    assert found(project, state="submitted") == [0, 3]
    assert found(project, state=["accepted", "rejected"]) == [1, 2]
    assert found(project, worker="bbbb3333") == [1]
    assert found(project, worker="CCCC4444") == []
    assert (found(project, late=True), found(project, late=False)) == ([1], [0, 2, 3])
    yesterday = timezone.now() - timedelta(days=1)
    assert (found(project, submitted_before=yesterday), found(project, submitted_after=yesterday)) == ([2], [0, 1, 3])


def test_by_task_id_or_key_also_where_the_key_looks_like_an_id(project):
    task = Task.objects.get(project=project, position=2)
    assert found(project, task=str(task.id)) == [2]
    assert found(project, task="t1") == [1]
    hashed = "d41d8cd98f00b204e9800998ecf8427e"
    Task.objects.filter(project=project, position=3).update(key=hashed)
    assert found(project, task=hashed) == [3]


def test_a_pseudonym_of_another_collective_finds_nobody(project):
    worker = make_user("Ana")
    elsewhere = published_project(make_user("Other"), tasks=1)
    Pseudonym.objects.create(collective_id=elsewhere.collective_id, worker=worker, alias="DDDD5555")
    Assignment.objects.filter(position=0).update(worker=worker)
    assert found(project, worker="DDDD5555") == []


def test_what_others_said_about_the_same_task():
    """By the key that holds a label; numbers and remarks beside it are no labels to agree on."""
    made = published_project(make_user("Owner"), tasks=2, answer_schema=LABEL_SCHEMA)
    mine, alone = give_answers(
        made,
        [
            (0, worker_of(made, "AAAA2222"), {"label": "1", "why": ["x"]}),
            (1, worker_of(made, "BBBB3333"), {"why": ["x"]}),
        ],
    )
    for number, label in enumerate(["1", "1", "0", None]):
        give_answers(made, [(0, worker_of(made, f"N{number}"), {"label": label} if label else {"why": []})])
    assert selectors.others_on_task(mine) == {"key": "label", "agree": 2, "of": 4}
    assert selectors.others_on_task(alone) is None
    Assignment.objects.filter(id=alone.id).update(answer={"label": "0"})
    alone.refresh_from_db()
    assert selectors.others_on_task(alone) == {"key": "label", "agree": 0, "of": 0}
