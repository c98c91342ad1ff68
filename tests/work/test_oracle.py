"""The claim function against its twin in plain ORM, on random markets."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api.core.errors import DomainError
from api.core.ids import uuid7
from api.projects.models import OpenTask, Project, ProjectState, Task
from api.work import services
from api.work.models import Assignment, State
from tests.factories import make_user
from tests.work.build import places_are_right, published_project
from tests.work.oracle import claim_verdict

WORKERS = 3
TASKS = 12
who = st.integers(0, WORKERS - 1)
# Claims far more often than anything else: they are what is looked at.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), who),
        st.tuples(st.just("claim"), who),
        st.tuples(st.just("submit"), who),
        st.tuples(st.just("submit"), who),
        st.tuples(st.just("claim_task"), who, st.integers(0, TASKS)),
        # Leaves what a worker has seen in pieces, and gaps that others have emptied.
        st.tuples(st.just("pick"), who, st.lists(st.integers(0, TASKS - 1), min_size=2, max_size=6, unique=True)),
        st.tuples(st.just("give_back"), who),
        st.tuples(st.just("expire"), who),
        st.tuples(st.just("reject"), who),
        st.tuples(st.just("import"), st.integers(1, 3)),
        st.tuples(st.just("state"), st.sampled_from(["paused", "published", "published", "published"])),
    ),
    min_size=12,
    max_size=60,
)


class Market:
    """One project and some workers, the owner among them."""

    def __init__(self, tasks: int, places: int, limit: int | None, seed: float) -> None:
        with connection.cursor() as cursor:
            # Workers start at random places; the same example must lead to the same market.
            cursor.execute("SELECT setseed(%s)", [seed])
        owner = make_user()
        self.workers = [owner, *(make_user() for _ in range(WORKERS - 1))]
        self.project = published_project(owner, tasks=tasks, places=places, max_tasks_per_worker=limit)
        self.places = places

    def claim(self, number: int) -> None:
        worker = self.workers[number]
        self._compare(
            claim_verdict(worker, self.project.id),
            lambda: services.claim_next(worker_id=worker.id, project_id=self.project.id),
        )

    def claim_task(self, number: int, position: int) -> None:
        worker = self.workers[number]
        task_id = Task.objects.filter(project=self.project, position=position).values_list("id", flat=True).first()
        task_id = task_id or uuid7()
        self._compare(
            claim_verdict(worker, self.project.id, task_id),
            lambda: services.claim_task(worker_id=worker.id, project_id=self.project.id, task_id=task_id),
        )

    def _compare(self, verdict, claim) -> None:
        try:
            taken = claim()
        except DomainError as refusal:
            assert refusal.code == verdict.code, f"refused with {refusal.code}, {len(verdict.tasks)} tasks were open"
        else:
            assert verdict.code is None, f"{taken.task_id} was given instead of {verdict.code}"
            assert taken.task_id in verdict.tasks

    def _held(self, number: int):
        return Assignment.objects.filter(worker=self.workers[number], state=State.CLAIMED).order_by("id")

    def submit(self, number: int) -> None:
        for held in self._held(number)[:1]:
            services.submit_answer(assignment_id=held.id, worker_id=self.workers[number].id, answer={"label": "duck"})

    def pick(self, number: int, positions: list[int]) -> None:
        for position in positions:
            self.claim_task(number, position)
            self.submit(number)

    def give_back(self, number: int) -> None:
        for held in self._held(number)[:1]:
            services.return_assignment(assignment_id=held.id, worker=self.workers[number])

    def expire(self, number: int) -> None:
        late = timezone.now() - settings.LATE_GRACE - timedelta(seconds=1)
        self._held(number).update(expires_at=late)
        services.expire_overdue()

    def reject(self, number: int) -> None:
        """Rejected, and nobody appealed: the place is free, for others."""
        mine = Assignment.objects.filter(worker=self.workers[number], state=State.SUBMITTED)
        mine.update(state=State.REJECTED, auto_accept_at=None, settles_at=timezone.now() - timedelta(seconds=1))
        services.settle_rejections()

    def add(self, count: int) -> None:
        """Rows as an import into a published project leaves them."""
        project = Project.objects.get(id=self.project.id)
        if project.state != ProjectState.PUBLISHED:
            return
        batch = project.batches.get()
        for position in range(project.last_position + 1, project.last_position + 1 + count):
            task = Task.objects.create(project=project, batch=batch, position=position, input={"n": position})
            OpenTask.objects.create(project=project, position=position, task=task, free=self.places)
        Project.objects.filter(id=project.id).update(last_position=project.last_position + count)

    def set_state(self, state: str) -> None:
        Project.objects.filter(id=self.project.id).update(state=state)

    def do(self, verb: str, *arguments) -> None:
        {"import": self.add, "state": self.set_state}.get(verb, getattr(self, verb, None))(*arguments)


@pytest.mark.django_db(transaction=True)
@given(
    tasks=st.integers(1, TASKS),
    places=st.integers(1, 3),
    limit=st.none() | st.integers(1, 10),
    hold=st.integers(1, 4),
    seed=st.floats(0, 1),
    steps=STEPS,
)
@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking replays hundreds of markets on a real database; an example is short enough as it is.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_a_claim_gives_one_of_the_tasks_it_may_and_refuses_only_when_there_is_none(
    tasks, places, limit, hold, seed, steps
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "HOLD_LIMIT", hold)
        market = Market(tasks, places, limit, seed)
        for step in steps:
            market.do(*step)
        market.set_state("published")
        # What is left in the end is found too, to the last place.
        for number in range(WORKERS):
            for _ in range(TASKS):
                market.claim(number)
                market.submit(number)
        places_are_right(market.project)
