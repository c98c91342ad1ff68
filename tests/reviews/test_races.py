"""Reviews at the same time: whoever is first decides, the money moves once, the brake is exact."""

import contextlib
import time
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from api.accounts.services import closing
from api.core.errors import DomainError
from api.ledger import audits
from api.ledger.errors import MoneyLeft
from api.projects import services as projects
from api.projects.models import Project, ProjectMinute
from api.reviews import errors, services
from api.reviews.models import ReviewTally
from api.work import services as work
from api.work.errors import TooLate, WrongState
from api.work.models import Assignment, Move
from tests.factories import make_user
from tests.projects.build import escrow_of, published, purse_left
from tests.reviews.build import REASON, answer_many, answer_next, fresh
from tests.work.build import places_are_right

pytestmark = pytest.mark.django_db(transaction=True)


def books_are_right() -> None:
    assert [problem for check in audits.checks().values() for problem in check()] == []


def reject(assignment, owner):
    return services.reject_assignment(assignment_id=assignment.id, reviewer=owner, category="wrong", reason=REASON)


def accept(assignment, owner):
    return services.accept_assignment(assignment_id=assignment.id, reviewer=owner)


def test_the_clock_and_a_rejection_meet(together):
    outcomes = set()
    for turn in range(6):
        owner = make_user("Owner")
        project = published(owner)
        done = answer_next(project)
        Assignment.objects.filter(id=done.id).update(auto_accept_at=timezone.now() - timedelta(seconds=1))
        calls = [services.accept_due, partial(reject, done, owner), services.accept_due]
        results = together(*(calls if turn % 2 else calls[::-1]))
        assert all(not isinstance(each, Exception) or isinstance(each, errors.NotSubmitted) for each in results)
        state = fresh(done).state
        outcomes.add(state)
        decisions = Move.objects.filter(assignment=done, to__in=["accepted", "rejected"])
        assert [each.to for each in decisions] == [state]
        assert purse_left(done.worker) == (10 if state == "accepted" else 0)
        tally = ReviewTally.objects.get(project=project)
        assert (tally.accepted, tally.rejected) == ((1, 0) if state == "accepted" else (0, 1))
    assert outcomes <= {"accepted", "rejected"}
    books_are_right()


def test_two_clocks_accept_each_answer_once(together):
    owner = make_user("Owner")
    project = published(owner, tasks=30, assignments_per_task=1)
    worker = make_user("Worker")
    answer_many(project, 30, worker)
    Assignment.objects.update(auto_accept_at=timezone.now() - timedelta(seconds=1))
    results = together(*[services.accept_due] * 4)
    assert sum(results) == 30
    assert (purse_left(worker), escrow_of(project)) == (300, 0)
    assert Move.objects.filter(to="accepted").count() == 30
    books_are_right()


def test_the_same_answers_accepted_by_id_by_filter_and_by_the_clock(together):
    owner = make_user("Owner")
    project = published(owner, tasks=20, assignments_per_task=1)
    worker = make_user("Worker")
    waiting = answer_many(project, 20, worker)
    Assignment.objects.update(auto_accept_at=timezone.now() - timedelta(seconds=1))
    ids = [each.id for each in waiting]
    results = together(
        lambda: len(services.accept_many(project_id=project.id, reviewer=owner, ids=ids).ids),
        lambda: len(services.accept_many(project_id=project.id, reviewer=owner, ids=ids[::-1]).ids),
        lambda: len(services.accept_many(project_id=project.id, reviewer=owner, wanted={}).ids),
        services.accept_due,
    )
    assert sum(results) == 20, results
    assert purse_left(worker) == 200
    assert ReviewTally.objects.get(project=project).accepted == 20
    books_are_right()


def test_the_brake_is_exact_under_many_reviewers(together):
    owner = make_user("Owner")
    project = published(owner, tasks=8)
    waiting = answer_many(project, 8)
    ReviewTally.objects.create(project=project, accepted=0, rejected=17)
    results = together(*[partial(reject, each, owner) for each in waiting])
    refused = [each for each in results if isinstance(each, errors.RejectionsHalted)]
    assert (len(refused), Assignment.objects.filter(state="rejected").count()) == (5, 3)
    assert ReviewTally.objects.get(project=project).rejected == 20


def test_the_end_of_the_time_meets_a_new_answer_and_a_return(together):
    """At the very end of the grace: whoever is first moves it, and it is never expired or lost."""
    for verb in ("submit", "return"):
        owner = make_user("Owner")
        project = published(owner, tasks=8, assignments_per_task=1)
        worker = make_user("Worker")
        waiting = answer_many(project, 8, worker)
        for each in waiting:
            services.send_back(assignment_id=each.id, reviewer=owner, comment="Look at the left edge.")
        over = timezone.now() - settings.LATE_GRACE + timedelta(milliseconds=300)
        Assignment.objects.filter(project=project).update(expires_at=over)

        def at_work(verb=verb, waiting=waiting, worker=worker):
            taken = 0
            for each in waiting:
                time.sleep(0.08)
                with contextlib.suppress(TooLate, WrongState):
                    if verb == "submit":
                        work.submit_answer(assignment_id=each.id, worker_id=worker.id, answer={"label": "0"})
                    else:
                        work.return_assignment(assignment_id=each.id, worker=worker)
                    taken += 1
            return taken

        def clock():
            deadline, swept = time.monotonic() + 1.2, 0
            while time.monotonic() < deadline:
                swept += work.resubmit_overdue()
            return swept

        taken, one, two = together(at_work, clock, clock)
        assert taken + one + two == 8
        moved = {"submit": ["submitted"] * 8, "return": ["returned"] * taken + ["submitted"] * (8 - taken)}[verb]
        assert sorted(Assignment.objects.filter(project=project).values_list("state", flat=True)) == moved
        answers = [fresh(each).answer for each in waiting]
        assert answers.count({"label": "0"}) == (taken if verb == "submit" else 0)
        places_are_right(project)
    books_are_right()


def test_no_pay_arrives_in_a_purse_whose_owner_is_closing_the_account(together):
    """Overturned while the worker closes: in time for the purse, which then holds the account open, or for the hall."""
    for turn in range(6):
        owner = make_user("Owner")
        project = published(owner, tasks=1, assignments_per_task=1)
        done = answer_next(project)
        reject(done, owner)
        worker = done.worker
        calls = [
            partial(accept, done, owner),
            partial(closing.close_account, user=worker, confirm=worker.email, forfeit=False),
        ]
        results = together(*(calls if turn % 2 else calls[::-1]))
        assert all(not isinstance(each, Exception) or isinstance(each, MoneyLeft) for each in results), results
        worker.refresh_from_db()
        assert purse_left(worker) == (0 if worker.closed_at else 10)
        assert (fresh(done).state, escrow_of(project)) == ("accepted", 0)
    books_are_right()


def test_a_payment_waits_until_an_account_is_closed(together):
    owner = make_user("Owner")
    done = answer_next(published(owner))
    reject(done, owner)
    worker = done.worker
    with transaction.atomic():
        closing.close_account(user=worker, confirm=worker.email, forfeit=False)
        waiting = together(partial(accept, done, owner), timeout=1)
        assert isinstance(waiting[0], TimeoutError)
    deadline = time.monotonic() + 10
    while fresh(done).state != "accepted" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (fresh(done).state, purse_left(worker)) == ("accepted", 0)


def test_overturning_meets_the_end_of_the_appeal_window(together):
    for _ in range(4):
        owner = make_user("Owner")
        project = published(owner, tasks=1, assignments_per_task=1)
        done = answer_next(project)
        reject(done, owner)
        Assignment.objects.filter(id=done.id).update(settles_at=timezone.now() - timedelta(seconds=1))
        _, overturned = together(work.settle_rejections, partial(accept, done, owner))
        if isinstance(overturned, Exception):
            assert isinstance(overturned, errors.NotSubmitted)
            assert (purse_left(done.worker), fresh(done).state) == (0, "rejected")
        else:
            assert (purse_left(done.worker), fresh(done).state) == (10, "accepted")
        places_are_right(project)
    books_are_right()


def test_a_part_is_paid_once_however_often_it_is_asked_for(together):
    owner = make_user("Owner")
    done = answer_next(published(owner))
    reject(done, owner)
    pay = partial(services.pay_part, assignment_id=done.id, reviewer=owner, amount=4, reason="Half of it")
    results = together(*[pay] * 4)
    assert sum(isinstance(each, errors.AlreadyPaid) for each in results) == 3
    assert purse_left(done.worker) == 4


@pytest.mark.parametrize("decide", [accept, reject])
def test_the_first_decision_does_not_wait_for_whoever_holds_the_project(together, decide):
    """It holds purses by then, which they may want: both would wait for ever."""
    owner = make_user("Owner")
    project = published(owner)
    done = answer_next(project)
    with transaction.atomic():
        Project.objects.select_for_update().get(id=project.id)
        (decided,) = together(partial(decide, done, owner), timeout=10)
    assert not isinstance(decided, Exception)
    assert decided.state in {"accepted", "rejected"}


def test_the_roll_up_does_not_wait_for_whoever_holds_the_project(together):
    """It holds the project's progress by then, which they may want to change."""
    project = published(make_user("Owner"))
    answer_next(project)
    with transaction.atomic():
        Project.objects.select_for_update().get(id=project.id)
        (counted,) = together(projects.roll_up, timeout=10)
    assert counted > 0
    assert ProjectMinute.objects.filter(project=project).exists()


def test_accepting_returning_claiming_and_closing_at_once_loses_no_cent(together):
    for _ in range(3):
        owner = make_user("Owner")
        project = published(owner, tasks=12, assignments_per_task=1)
        worker, other = make_user("Worker"), make_user("Other")
        waiting = answer_many(project, 4, worker)
        held = [work.claim_next(worker_id=worker.id, project_id=project.id) for _ in range(3)]
        results = together(
            *[partial(accept, each, owner) for each in waiting[:3]],
            partial(reject, waiting[3], owner),
            *[partial(work.return_assignment, assignment_id=each.id, worker=worker) for each in held],
            lambda: projects.close_project(project_id=project.id, by=owner),  # noqa: B023
            lambda: work.claim_next(worker_id=other.id, project_id=project.id),  # noqa: B023
        )
        wrong = [each for each in results if isinstance(each, Exception) and not isinstance(each, DomainError)]
        assert wrong == []
        claimed = Assignment.objects.filter(worker=other, state="claimed").count()
        assert (purse_left(worker), escrow_of(project)) == (30, 10 + 10 * claimed)
        assert purse_left(owner) + purse_left(worker) + escrow_of(project) == 1000
    books_are_right()
