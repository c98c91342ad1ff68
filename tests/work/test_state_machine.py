"""Every sequence of verbs, legal or not, on one small market: only the design's moves happen, places and money fit."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from api.core.errors import DomainError
from api.ledger.models import Purse
from api.projects.models import OpenTask
from api.projects.services.places import unit_cost
from api.reviews import services as reviews
from api.work import services
from api.work.models import MOVES, Assignment, Move, State
from tests.factories import make_user
from tests.projects.build import published
from tests.work.build import places_are_right

REASON = "This does not show what was asked for."
LIVE = {"claimed", "submitted", "sent_back", "accepted"}
"""States that hold a place, written out here a second time on purpose."""
LEGAL = {
    ("claimed", "submitted"),
    ("claimed", "returned"),
    ("claimed", "expired"),
    ("submitted", "accepted"),
    ("submitted", "rejected"),
    ("submitted", "sent_back"),
    ("sent_back", "submitted"),
    ("sent_back", "returned"),
    ("rejected", "accepted"),
}
VERBS = {
    "submit": {"claimed": "submitted", "sent_back": "submitted"},
    "return": {"claimed": "returned", "sent_back": "returned"},
    "expire": {"claimed": "expired", "sent_back": "submitted"},
    "accept": {"submitted": "accepted", "rejected": "accepted"},
    "reject": {"submitted": "rejected"},
    "send_back": {"submitted": "sent_back"},
    "clock": {"submitted": "accepted"},
}


def test_the_moves_of_the_model_are_those_of_the_design():
    assert {(a.value, b.value) for a, after in MOVES.items() for b in after} == LEGAL
    assert {state.value for state in State.live()} == LIVE


class Market(RuleBasedStateMachine):
    """Three tasks of two places each, three workers, one requester, and the clocks."""

    assignments = Bundle("assignments")

    def __init__(self) -> None:
        super().__init__()
        with connection.cursor() as cursor:
            # Workers start at random places; the same steps must lead to the same market.
            cursor.execute("SELECT setseed(0.5)")
        self.owner = make_user()
        self.workers = [make_user() for _ in range(3)]
        self.project = published(self.owner, tasks=3, assignments_per_task=2, money=10_000)
        self.state: dict[object, str] = {}
        self.rounds: Counter[object] = Counter()
        self.had: dict[object, set[object]] = {worker.id: set() for worker in self.workers}

    @rule(target=assignments, who=st.integers(0, 2))
    def claim(self, who):
        worker = self.workers[who]
        before = {
            row.task_id
            for row in OpenTask.objects.filter(project=self.project)
            if row.task_id not in self.had[worker.id]
        }
        try:
            taken = services.claim_next(worker_id=worker.id, project_id=self.project.id)
        except DomainError as refusal:
            assert refusal.code == "no_task_left"
            assert before == set()
            return multiple()
        assert taken.task_id in before
        self.had[worker.id].add(taken.task_id)
        self.state[taken.id] = "claimed"
        return taken.id

    @rule(which=assignments, verb=st.sampled_from(sorted(VERBS)))
    def move(self, which, verb):
        start = self.state[which]
        expected = VERBS[verb].get(start)
        assignment = Assignment.objects.get(id=which)
        if start == "rejected" and verb == "accept" and assignment.settles_at is None:
            expected = None
        refused_with = "wrong_state"
        if start == "submitted" and verb == "send_back" and self.rounds[which] == 3:
            expected, refused_with = None, "sent_back_too_often"
        try:
            self._do(verb, assignment)
        except DomainError as refusal:
            assert refusal.code == refused_with, refusal.code
            assert expected is None
        end = Assignment.objects.get(id=which).state
        if expected is None:
            assert end == start
        else:
            assert end == expected
            assert (start, end) in LEGAL
            self.rounds[which] += end == "sent_back"
        self.state[which] = end

    def _do(self, verb, assignment):
        worker = next(each for each in self.workers if each.id == assignment.worker_id)
        rows = Assignment.objects.filter(id=assignment.id)
        if verb == "submit":
            services.submit_answer(assignment_id=assignment.id, worker_id=worker.id, answer={"label": "1"})
        elif verb == "return":
            services.return_assignment(assignment_id=assignment.id, worker=worker)
        elif verb == "expire":
            rows.update(expires_at=timezone.now() - settings.LATE_GRACE - timedelta(seconds=1))
            services.expire_overdue()
            services.resubmit_overdue()
        elif verb == "clock":
            rows.filter(state="submitted").update(auto_accept_at=timezone.now())
            reviews.accept_due()
        elif verb == "accept":
            reviews.accept_assignment(assignment_id=assignment.id, reviewer=self.owner)
        elif verb == "reject":
            reviews.reject_assignment(assignment_id=assignment.id, reviewer=self.owner, category="wrong", reason=REASON)
        else:
            reviews.send_back(assignment_id=assignment.id, reviewer=self.owner, comment="Please look again.")

    @rule(which=consumes(assignments))
    def appeal_window_passes(self, which):
        """A rejection that stands stays rejected, and frees its place."""
        start = self.state[which]
        Assignment.objects.filter(id=which, settles_at__isnull=False).update(settles_at=timezone.now())
        services.settle_rejections()
        assignment = Assignment.objects.get(id=which)
        assert (assignment.state, assignment.settles_at) == (start, None)

    @invariant()
    def places_fit(self):
        places_are_right(self.project)

    @invariant()
    def escrow_holds_what_is_owed(self):
        free = sum(OpenTask.objects.filter(project=self.project).values_list("free", flat=True))
        rows = Assignment.objects.filter(project=self.project)
        owed = rows.filter(state__in=["claimed", "submitted", "sent_back"]).count()
        owed += rows.filter(state="rejected", settles_at__isnull=False).count()
        escrow = Purse.objects.get(held_for_id=self.project.id).balance
        assert escrow == (free + owed) * unit_cost(self.project.published.reward, self.project)

    @invariant()
    def accepted_work_is_paid(self):
        for worker in self.workers:
            accepted = Assignment.objects.filter(worker=worker, state="accepted").count()
            purse = Purse.objects.filter(owner_id=worker.id, kind="purse").first()
            assert (purse.balance if purse else 0) == accepted * self.project.published.reward

    @invariant()
    def every_move_is_recorded(self):
        for which, state in self.state.items():
            moves = list(Move.objects.filter(assignment_id=which).order_by("id").values_list("to", flat=True))
            assert moves[0] == "claimed"
            assert moves[-1] == state
            assert all(step in LEGAL for step in pairwise(moves))


@pytest.mark.django_db(transaction=True)
def test_no_sequence_of_verbs_breaks_the_market():
    run_state_machine_as_test(
        Market,
        settings=hypothesis_settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Shrinking replays hundreds of markets on a real database; the steps printed are short enough as they are.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )


@pytest.mark.django_db(transaction=True)
@given(seed=st.integers(0, 2**16))
@hypothesis_settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_verbs_at_the_same_time_move_an_assignment_once(together, seed):
    owner, worker = make_user(), make_user()
    project = published(owner, tasks=1, assignments_per_task=1, money=1000)
    taken = services.claim_next(worker_id=worker.id, project_id=project.id)
    services.submit_answer(assignment_id=taken.id, worker_id=worker.id, answer={"label": "1"})
    verbs = [
        lambda: reviews.accept_assignment(assignment_id=taken.id, reviewer=owner),
        lambda: reviews.reject_assignment(assignment_id=taken.id, reviewer=owner, category="wrong", reason=REASON),
        lambda: reviews.send_back(assignment_id=taken.id, reviewer=owner, comment="Please look again."),
        lambda: reviews.accept_assignment(assignment_id=taken.id, reviewer=owner),
    ]
    turned = verbs[seed % 4 :] + verbs[: seed % 4]
    results = together(*turned)
    assert all(not isinstance(each, Exception) or isinstance(each, DomainError) for each in results), results
    places_are_right(project)
    moves = list(Move.objects.filter(assignment_id=taken.id).order_by("id").values_list("to", flat=True))
    assert all(step in LEGAL for step in pairwise(moves)), moves
    paid = Purse.objects.filter(owner_id=worker.id, kind="purse").first()
    assert (paid.balance if paid else 0) == (project.published.reward if "accepted" in moves else 0)
