"""Claiming: places, order, limits, and what is left."""

from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from api.collectives.models import Membership, Pseudonym
from api.core.errors import NotFound
from api.projects.models import OpenTask, Project, Task
from api.work import errors, services
from api.work.models import Assignment, Move, Participation
from tests.factories import make_user
from tests.work.build import places_are_right, published_project

pytestmark = pytest.mark.django_db


def claim(worker, project):
    return services.claim_next(worker_id=worker.id, project_id=project.id)


def submit(assignment, worker, label="duck"):
    return services.submit_answer(assignment_id=assignment.id, worker_id=worker.id, answer={"label": label})


def claim_all(worker, project):
    """Claim and submit until nothing is left; the positions in the order they came."""
    positions = []
    while True:
        try:
            taken = claim(worker, project)
        except errors.NoTaskLeft:
            return positions
        submit(taken, worker)
        positions.append(taken.input["n"])


def test_a_claim_reserves_a_place_and_says_what_to_do():
    project = published_project(make_user(), tasks=1, places=2)
    worker = make_user()
    taken = claim(worker, project)
    assert taken.input == {"n": 0}
    assert (taken.reward, taken.currency) == (15, "USD")
    assert taken.expires_at - taken.claimed_at == timedelta(minutes=15)
    row = Assignment.objects.get(id=taken.id)
    assert (row.state, row.worker_id, row.task_id) == ("claimed", worker.id, taken.task_id)
    assert OpenTask.objects.get(project=project).free == 1
    move = Move.objects.get(assignment_id=taken.id)
    assert (move.to, move.by_id) == ("claimed", worker.id)


def test_one_query_claims():
    project = published_project(make_user(), tasks=5)
    worker = make_user()
    claim(worker, project)
    with CaptureQueriesContext(connection) as queries:
        claim(worker, project)
    assert len(queries) == 1


def test_every_task_comes_once_whatever_the_start():
    project = published_project(make_user(), tasks=40, places=3)
    for _ in range(3):
        assert sorted(claim_all(make_user(), project)) == list(range(40))
    assert not OpenTask.objects.filter(project=project).exists()
    assert claim_all(make_user(), project) == []
    places_are_right(project)


def test_workers_start_at_spread_places():
    project = published_project(make_user(), tasks=500, places=50)
    starts = {claim(make_user(), project).input["n"] for _ in range(20)}
    assert len(starts) > 10


def test_the_last_place_removes_the_task_from_the_open_ones():
    project = published_project(make_user(), tasks=1, places=2)
    claim(make_user(), project)
    claim(make_user(), project)
    assert not OpenTask.objects.filter(project=project).exists()
    with pytest.raises(errors.NoTaskLeft):
        claim(make_user(), project)


def test_a_worker_has_each_task_at_most_once_even_after_returning_it():
    project = published_project(make_user(), tasks=2)
    worker = make_user()
    first = claim(worker, project)
    services.return_assignment(assignment_id=first.id, worker=worker)
    second = claim(worker, project)
    assert second.task_id != first.task_id
    with pytest.raises(errors.NoTaskLeft):
        claim(worker, project)
    with pytest.raises(errors.AlreadyHad):
        services.claim_task(worker_id=worker.id, project_id=project.id, task_id=first.task_id)


@pytest.mark.django_db(transaction=True)
def test_a_returned_place_is_offered_first_to_those_who_have_passed_it():
    project = published_project(make_user(), tasks=30)
    quick, slow = make_user(), make_user()
    given_back = claim(slow, project)
    claim(quick, project)
    services.return_assignment(assignment_id=given_back.id, worker=slow)
    assert claim(quick, project).task_id == given_back.task_id


@pytest.mark.django_db(transaction=True)
def test_a_place_given_back_after_everything_was_seen_is_found():
    project = published_project(make_user(), tasks=10)
    slow, quick = make_user(), make_user()
    held = claim(slow, project)
    assert len(claim_all(quick, project)) == 9
    services.return_assignment(assignment_id=held.id, worker=slow)
    assert claim_all(quick, project) == [held.input["n"]]
    places_are_right(project)


def test_tasks_added_after_everything_was_seen_are_found():
    project = published_project(make_user(), tasks=4)
    worker = make_user()
    assert len(claim_all(worker, project)) == 4
    batch = project.batches.get()
    task = Task.objects.create(project=project, batch=batch, position=4, input={"n": 4})
    Project.objects.filter(id=project.id).update(last_position=4)
    OpenTask.objects.create(project=project, position=4, task=task, free=1)
    assert claim_all(worker, project) == [4]


def test_a_given_task_can_be_claimed_and_is_not_offered_again():
    project = published_project(make_user(), tasks=5, places=2)
    worker = make_user()
    wanted = Task.objects.get(project=project, position=3)
    taken = services.claim_task(worker_id=worker.id, project_id=project.id, task_id=wanted.id)
    assert taken.task_id == wanted.id
    assert sorted(claim_all(worker, project)) == [0, 1, 2, 4]


def test_a_given_task_without_places_is_refused():
    project = published_project(make_user(), tasks=1)
    taken = claim(make_user(), project)
    with pytest.raises(errors.TaskTaken):
        services.claim_task(worker_id=make_user().id, project_id=project.id, task_id=taken.task_id)


def test_the_projects_limit_for_one_worker_holds_and_returned_work_does_not_count():
    project = published_project(make_user(), tasks=9, max_tasks_per_worker=2)
    worker = make_user()
    first = claim(worker, project)
    second = claim(worker, project)
    with pytest.raises(errors.WorkerLimit):
        claim(worker, project)
    submit(first, worker)
    with pytest.raises(errors.WorkerLimit):
        claim(worker, project)
    services.return_assignment(assignment_id=second.id, worker=worker)
    assert claim(worker, project)


def test_a_worker_holds_only_so_many_at_a_time(settings):
    settings.HOLD_LIMIT = 2
    project = published_project(make_user(), tasks=9)
    worker = make_user()
    first = claim(worker, project)
    claim(worker, project)
    with pytest.raises(errors.HoldLimit):
        claim(worker, project)
    submit(first, worker)
    assert claim(worker, project)


@pytest.mark.parametrize(
    ("state", "refusal"),
    [("paused", errors.ProjectNotOpen), ("closed", errors.ProjectNotOpen), ("draft", NotFound)],
)
def test_only_a_published_project_gives_work(state, refusal):
    project = published_project(make_user())
    Project.objects.filter(id=project.id).update(state=state)
    with pytest.raises(refusal):
        claim(make_user(), project)


def test_an_unknown_project_is_not_found():
    with pytest.raises(NotFound):
        services.claim_next(worker_id=make_user().id, project_id=make_user().id)


def test_nobody_works_for_themselves():
    owner = make_user()
    with pytest.raises(errors.OwnProject):
        claim(owner, published_project(owner))


def test_a_worker_has_one_pseudonym_for_each_collective():
    owner, worker = make_user(), make_user()
    one, two, other = published_project(owner), published_project(owner), published_project(make_user())
    for project in (one, two, other):
        claim(worker, project)
    names = Pseudonym.objects.filter(worker=worker)
    assert names.count() == 2
    assert len({name.alias for name in names}) == 2
    assert all(len(name.alias) == 8 for name in names)


def test_every_user_has_a_solo_collective_of_the_same_id():
    user = make_user()
    membership = Membership.objects.get(user=user)
    assert (membership.collective_id, membership.role) == (user.id, "owner")


@pytest.mark.django_db(transaction=True)
def test_two_workers_cannot_claim_the_last_place(together):
    for _ in range(5):
        project = published_project(make_user(), tasks=1)
        results = together(*[partial(claim, make_user(), project) for _ in range(4)])
        won = [each for each in results if not isinstance(each, Exception)]
        lost = [each for each in results if isinstance(each, errors.NoTaskLeft)]
        assert (len(won), len(lost)) == (1, 3)
        places_are_right(project)


@pytest.mark.django_db(transaction=True)
def test_one_worker_claiming_from_many_windows_gets_different_tasks(together):
    project = published_project(make_user(), tasks=20, places=2)
    worker = make_user()
    results = together(*[lambda: claim(worker, project) for _ in range(8)])
    assert len({each.task_id for each in results}) == 8
    assert Participation.objects.get(worker=worker).taken == 8


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("places", [1, 3])
def test_sixteen_workers_take_everything_and_nothing_twice(together, places):
    project = published_project(make_user(), tasks=60, places=places)
    workers = [make_user() for _ in range(16)]
    results = together(*[lambda w=worker: claim_all(w, project) for worker in workers], timeout=120)
    assert [each for each in results if isinstance(each, Exception)] == []
    assert all(len(set(positions)) == len(positions) for positions in results)
    counted = Counter(position for positions in results for position in positions)
    assert counted == dict.fromkeys(range(60), places)
    places_are_right(project)


@pytest.mark.django_db(transaction=True)
def test_sixteen_workers_who_give_back_half_lose_no_place(together):
    project = published_project(make_user(), tasks=40, places=2)

    def fickle(worker):
        done = 0
        for turn in range(1000):
            try:
                taken = claim(worker, project)
            except errors.NoTaskLeft:
                return done
            if turn % 2:
                services.return_assignment(assignment_id=taken.id, worker=worker)
            else:
                submit(taken, worker)
                done += 1
        raise AssertionError("the walk does not end")

    results = together(*[partial(fickle, make_user()) for _ in range(16)], timeout=120)
    assert [each for each in results if isinstance(each, Exception)] == []
    places_are_right(project)
    left = sum(OpenTask.objects.filter(project=project).values_list("free", flat=True))
    assert sum(results) + left == 80


def test_a_late_clock_does_not_hold_a_place_for_good():
    project = published_project(make_user(), tasks=1)
    taken = claim(make_user(), project)
    Assignment.objects.filter(id=taken.id).update(expires_at=timezone.now() - timedelta(minutes=3))
    assert services.expire_overdue() == 1
    assert services.expire_overdue() == 0
    assert claim(make_user(), project).task_id == taken.task_id
    places_are_right(project)
