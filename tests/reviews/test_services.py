"""Deciding about answers: who is paid what, the brake on rejections, sending back, paying beyond the reward."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from api.accounts.services import closing as accounts
from api.collectives.errors import Denied
from api.collectives.models import Membership
from api.core.errors import Invalid, NotFound
from api.ledger import audits
from api.ledger import services as ledger
from api.ledger.errors import InsufficientFunds
from api.ledger.models import Purse, Transfer
from api.projects import services as projects
from api.projects.models import OpenTask, Project
from api.reviews import errors, services
from api.reviews.models import ReviewTally
from api.reviews.services import accept as accepting
from api.work import audits as work_audits
from api.work import errors as work_errors
from api.work import services as work
from api.work.models import Assignment, Move
from tests.factories import make_user
from tests.projects.build import escrow_of, published, purse_left
from tests.reviews.build import REASON, answer_many, answer_next, fresh
from tests.work.build import places_are_right, published_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_user("Owner")


def books_are_right() -> None:
    assert work_audits.escrows_hold_what_is_owed() + work_audits.places_add_up() == []


def accept(assignment, by, **more):
    return services.accept_assignment(assignment_id=assignment.id, reviewer=by, **more)


def reject(assignment, by, category="wrong", reason=REASON):
    return services.reject_assignment(assignment_id=assignment.id, reviewer=by, category=category, reason=reason)


def send_back(assignment, by, comment="Please look at the left edge again.", **more):
    return services.send_back(assignment_id=assignment.id, reviewer=by, comment=comment, **more)


def moves_of(assignment) -> list[str]:
    return list(Move.objects.filter(assignment=assignment).order_by("id").values_list("to", flat=True))


# Accepting


def test_accepted_work_is_paid_at_once_and_once(owner):
    project = published(owner)
    done = answer_next(project)
    decided = accept(done, owner, comment="Good.")
    assert (decided.state, decided.comment, decided.decided_by_id) == ("accepted", "Good.", owner.id)
    assert decided.auto_accept_at is None
    assert accept(done, owner).decided_at == decided.decided_at
    assert (purse_left(done.worker), escrow_of(project)) == (10, 50)
    assert moves_of(done) == ["claimed", "submitted", "accepted"]
    assert ReviewTally.objects.get(project=project).accepted == 1
    books_are_right()


def test_fees_come_on_top_and_the_escrow_ends_at_nothing(owner, settings):
    settings.FEE_BPS = 333
    project = published(owner, tasks=3, assignments_per_task=2)
    assert escrow_of(project) == 6 * 11
    workers = [make_user("Ana"), make_user("Bo")]
    for worker in workers:
        for _ in range(3):
            accept(answer_next(project, worker), owner)
    assert [purse_left(worker) for worker in workers] == [30, 30]
    fees = Purse.objects.get(kind=Purse.Kind.FEES, currency="USD")
    assert (fees.balance, escrow_of(project)) == (6, 0)
    assert Transfer.objects.filter(kind=Transfer.Kind.ACCEPT).count() == 6
    books_are_right()


@pytest.mark.parametrize("verb", ["pause_project", "close_project"])
def test_work_in_a_project_that_has_stopped_is_still_accepted(owner, verb):
    project = published(owner)
    done = answer_next(project)
    getattr(projects, verb)(project_id=project.id, by=owner)
    accept(done, owner)
    assert purse_left(done.worker) == 10
    assert escrow_of(project) == (50 if verb == "pause_project" else 0)
    books_are_right()


@pytest.mark.parametrize("state", ["claimed", "sent_back", "returned", "expired"])
def test_only_submitted_answers_are_reviewed(owner, state):
    project = published(owner)
    done = answer_next(project)
    Assignment.objects.filter(id=done.id).update(state=state)
    for verb in (accept, reject, send_back):
        if (verb, state) == (send_back, "sent_back"):
            continue
        with pytest.raises(errors.NotSubmitted):
            verb(done, owner)
    assert purse_left(done.worker) == 0


def test_accepted_work_stays_accepted(owner):
    done = answer_next(published(owner))
    accept(done, owner)
    for verb in (reject, send_back):
        with pytest.raises(errors.NotSubmitted):
            verb(done, owner)
    assert fresh(done).state == "accepted"


def test_strangers_workers_and_plain_members_do_not_review(owner):
    done = answer_next(published(owner))
    member = make_user("Member")
    Membership.objects.create(collective_id=owner.id, user=member, role="member")
    for someone, refusal in ((make_user("Stranger"), NotFound), (done.worker, NotFound), (member, Denied)):
        for verb in (accept, reject, send_back):
            with pytest.raises(refusal):
                verb(done, someone)
        for pay in (services.pay_bonus, services.pay_part):
            with pytest.raises(refusal):
                pay(assignment_id=done.id, reviewer=someone, amount=1, reason="Thank you")
    assert fresh(done).state == "submitted"


# Accepting many


def test_many_are_accepted_by_id_and_the_rest_is_named(owner):
    project, other = published(owner), published(owner)
    one, two = answer_next(project), answer_next(project)
    accept(two, owner)
    elsewhere, unknown = answer_next(other), uuid4()
    done = services.accept_many(project_id=project.id, reviewer=owner, ids=[one.id, two.id, elsewhere.id, unknown])
    assert (done.ids, done.paid, done.currency) == ([one.id], 10, "USD")
    assert done.skipped == sorted([two.id, elsewhere.id, unknown])
    assert fresh(elsewhere).state == "submitted"
    books_are_right()


def test_many_are_accepted_by_filter(owner):
    project = published(owner, tasks=6, assignments_per_task=1)
    worker = make_user("Ana")
    ducks = [answer_next(project, worker, {"label": "1"}) for _ in range(2)]
    geese = [answer_next(project, worker, {"label": "0"}) for _ in range(2)]
    done = services.accept_many(project_id=project.id, reviewer=owner, wanted={"answer": {"label": "1"}})
    assert sorted(done.ids) == sorted(each.id for each in ducks)
    assert {fresh(each).state for each in geese} == {"submitted"}
    assert purse_left(worker) == 20


def test_nothing_is_accepted_when_the_reviewer_saw_another_number(owner):
    project = published(owner)
    answer_many(project, 2)
    for seen in (1, 3):
        with pytest.raises(errors.NotWhatWasSeen) as refusal:
            services.accept_many(project_id=project.id, reviewer=owner, wanted={}, expect=seen)
        assert refusal.value.extra == {"matching": 2}
    assert not Assignment.objects.filter(state="accepted").exists()
    assert len(services.accept_many(project_id=project.id, reviewer=owner, wanted={}, expect=2).ids) == 2


def test_more_than_one_call_takes_are_accepted_oldest_first(owner, monkeypatch):
    monkeypatch.setattr(accepting, "MOST_AT_ONCE", 2)
    project = published(owner)
    waiting = answer_many(project, 3)
    done = services.accept_many(project_id=project.id, reviewer=owner, wanted={}, expect=3)
    assert done.ids == [each.id for each in waiting[:2]]
    assert services.accept_many(project_id=project.id, reviewer=owner, wanted={}, expect=1).ids == [waiting[2].id]


def test_a_filter_cannot_reach_what_is_not_submitted(owner):
    project = published(owner)
    done = answer_next(project)
    reject(done, owner)
    result = services.accept_many(project_id=project.id, reviewer=owner, wanted={"state": "rejected"})
    assert (result.ids, fresh(done).state) == ([], "rejected")


# Rejecting


def test_a_rejection_keeps_money_and_place_until_it_stands(owner):
    project = published(owner, tasks=1, assignments_per_task=1)
    done = answer_next(project)
    decided = reject(done, owner, "off_task")
    assert (decided.category, decided.comment, decided.auto_accept_at) == ("off_task", REASON, None)
    assert decided.settles_at - decided.decided_at == django_settings.APPEAL_WINDOW
    assert reject(done, owner, "spam").category == "off_task"
    assert (escrow_of(project), OpenTask.objects.count()) == (10, 0)
    Assignment.objects.filter(id=done.id).update(settles_at=timezone.now() - timedelta(seconds=1))
    assert work.settle_rejections() == 1
    assert (escrow_of(project), OpenTask.objects.count(), purse_left(done.worker)) == (10, 1, 0)
    places_are_right(project)
    books_are_right()


def test_a_rejection_can_be_overturned_until_it_stands(owner):
    project = published(owner)
    early, late = answer_many(project, 2)
    for each in (early, late):
        reject(each, owner)
    overturned = accept(early, owner)
    assert (overturned.state, overturned.category, overturned.settles_at) == ("accepted", "", None)
    tally = ReviewTally.objects.get(project=project)
    assert (tally.accepted, tally.rejected) == (1, 1)
    Assignment.objects.filter(id=late.id).update(settles_at=timezone.now() - timedelta(seconds=1))
    work.settle_rejections()
    with pytest.raises(errors.NotSubmitted):
        accept(late, owner)
    assert purse_left(early.worker) == 10
    books_are_right()


@pytest.mark.parametrize(
    ("category", "reason", "fields"),
    [
        ("wrong", "x" * 19, ["reason"]),
        ("wrong", " " * 30 + "x" * 19, ["reason"]),
        ("ugly", REASON, ["category"]),
        ("", "", ["category", "reason"]),
    ],
)
def test_a_rejection_has_a_category_and_a_reason(owner, category, reason, fields):
    done = answer_next(published(owner))
    with pytest.raises(Invalid) as refusal:
        reject(done, owner, category, reason)
    assert [each.field for each in refusal.value.errors] == fields
    with pytest.raises(Invalid):
        services.reject_many(
            project_id=done.project_id, ids=[done.id], reviewer=owner, category=category, reason=reason
        )
    assert fresh(done).state == "submitted"


def tally_of(project: Project, accepted: int, rejected: int) -> None:
    ReviewTally.objects.update_or_create(project=project, defaults={"accepted": accepted, "rejected": rejected})


@pytest.mark.parametrize(
    ("accepted", "rejected", "halted"),
    [(0, 19, False), (0, 20, True), (79, 20, True), (80, 20, False), (81, 20, False), (80, 21, True), (84, 21, False)],
)
def test_rejecting_stops_past_a_fifth_and_twenty(owner, accepted, rejected, halted):
    project = published(owner)
    done = answer_next(project)
    tally_of(project, accepted, rejected)
    if halted:
        with pytest.raises(errors.RejectionsHalted) as refusal:
            reject(done, owner)
        assert refusal.value.extra == {"accepted": accepted, "rejected": rejected}
        assert fresh(done).state == "submitted"
    else:
        assert reject(done, owner).state == "rejected"


def test_the_brake_lets_go_when_answers_are_accepted(owner):
    project = published(owner)
    one, two = answer_many(project, 2)
    tally_of(project, 79, 20)
    with pytest.raises(errors.RejectionsHalted):
        reject(one, owner)
    accept(two, owner)
    assert reject(one, owner).state == "rejected"


def test_many_are_rejected_all_or_none(owner):
    project = published(owner, tasks=6)
    waiting = answer_many(project, 4)
    tally_of(project, 0, 18)
    ids = [each.id for each in waiting]

    def reject_many(some):
        return services.reject_many(project_id=project.id, ids=some, reviewer=owner, category="spam", reason=REASON)

    with pytest.raises(errors.RejectionsHalted):
        reject_many(ids)
    assert {fresh(each).state for each in waiting} == {"submitted"}
    assert ReviewTally.objects.get(project=project).rejected == 18
    assert reject_many([*ids[:2], uuid4()]) == ids[:2]
    assert ReviewTally.objects.get(project=project).rejected == 20


def test_sending_back_is_no_rejection_and_has_no_brake(owner):
    project = published(owner)
    done = answer_next(project)
    tally_of(project, 0, 20)
    assert send_back(done, owner).state == "sent_back"
    assert ReviewTally.objects.get(project=project).rejected == 20


# Sending back


def test_what_is_sent_back_is_a_draft_with_a_clock_of_its_own(owner):
    project = published(owner, tasks=1, assignments_per_task=1)
    done = answer_next(project, answer={"label": "0"})
    back = send_back(done, owner, "Look at the left edge.", lasts=timedelta(hours=30))
    assert (back.state, back.draft, back.answer) == ("sent_back", {"label": "0"}, {"label": "0"})
    assert back.expires_at - back.decided_at == timedelta(hours=30)
    assert (back.auto_accept_at, back.comment) == (None, "Look at the left edge.")
    work.submit_answer(assignment_id=done.id, worker_id=done.worker_id, answer={"label": "1"})
    again = fresh(done)
    assert (again.state, again.answer, again.draft) == ("submitted", {"label": "1"}, None)
    assert again.auto_accept_at > timezone.now()
    accept(again, owner)
    assert moves_of(done) == ["claimed", "submitted", "sent_back", "submitted", "accepted"]
    assert (purse_left(done.worker), escrow_of(project)) == (10, 0)


@pytest.mark.parametrize(("claim", "least"), [({"minutes": 7}, {"hours": 24}), ({"days": 3}, {"days": 3})])
def test_a_worker_has_a_day_to_do_it_again_or_as_long_as_a_claim(owner, claim, least):
    project = published(owner, claim_lasts=timedelta(**claim))
    one, two, three = answer_many(project, 3)
    back = send_back(one, owner)
    assert back.expires_at - back.decided_at == timedelta(**least)
    too_short = timedelta(**least) - timedelta(seconds=1)
    for refused in (
        lambda: send_back(two, owner, lasts=too_short),
        lambda: services.send_back_many(
            project_id=project.id, ids=[two.id, three.id], reviewer=owner, comment="Once more, please.", lasts=too_short
        ),
    ):
        with pytest.raises(Invalid) as refusal:
            refused()
        assert [(each.field, each.code) for each in refusal.value.errors] == [("lasts", "too_short")]
    assert (fresh(two).state, fresh(three).state) == ("submitted", "submitted")
    assert send_back(two, owner, lasts=timedelta(**least)).state == "sent_back"


def out_of_time(assignment) -> None:
    """Let the time for what was sent back, and the grace after it, have passed."""
    over = timezone.now() - django_settings.LATE_GRACE - timedelta(seconds=1)
    Assignment.objects.filter(id=assignment.id).update(expires_at=over)


def test_what_was_sent_back_and_forgotten_stands_and_is_paid_by_the_clock(owner):
    """Sending back is no way not to pay: when the worker does nothing, the answer waits for review as it was."""
    project = published(owner, tasks=1, assignments_per_task=1, auto_accept_after=timedelta(hours=5))
    done = answer_next(project)
    send_back(done, owner)
    work.save_draft(assignment_id=done.id, worker=done.worker, draft={"label": "0"})
    assert work.resubmit_overdue() == 0
    out_of_time(done)
    with pytest.raises(work_errors.TooLate):
        work.submit_answer(assignment_id=done.id, worker_id=done.worker_id, answer={"label": "0"})
    assert work.expire_overdue() == 0
    before = timezone.now()
    assert (work.resubmit_overdue(), work.resubmit_overdue()) == (1, 0)
    again = fresh(done)
    assert (again.state, again.answer, again.draft) == ("submitted", {"label": "1"}, {"label": "0"})
    assert (again.submitted_at, again.late) == (done.submitted_at, False)
    assert before + timedelta(hours=5) <= again.auto_accept_at <= timezone.now() + timedelta(hours=5)
    assert not OpenTask.objects.exists()
    move = Move.objects.filter(assignment=done).latest("id")
    assert (move.to, move.by_id, move.why) == (
        "submitted",
        None,
        "not handed in again in time, so the earlier answer stands",
    )
    books_are_right()
    assert services.accept_due() == 0
    due(done)
    assert services.accept_due() == 1
    assert moves_of(done) == ["claimed", "submitted", "sent_back", "submitted", "accepted"]
    assert (purse_left(done.worker), escrow_of(project)) == (10, 0)
    books_are_right()


def test_within_the_grace_a_new_answer_is_still_taken(owner):
    done = answer_next(published(owner))
    send_back(done, owner)
    Assignment.objects.filter(id=done.id).update(expires_at=timezone.now() - timedelta(minutes=1))
    assert work.resubmit_overdue() == 0
    assert work.submit_answer(assignment_id=done.id, worker_id=done.worker_id, answer={"label": "0"}).late
    assert fresh(done).answer == {"label": "0"}


def test_an_answer_that_stands_is_reviewed_like_any_other(owner):
    project = published(owner)
    one, two, three = answer_many(project, 3)
    for each in (one, two, three):
        send_back(each, owner)
    work.save_draft(assignment_id=three.id, worker=three.worker, draft={"label": "0"})
    for each in (one, two, three):
        out_of_time(each)
    assert work.resubmit_overdue() == 3
    assert accept(one, owner).state == "accepted"
    assert reject(two, owner).state == "rejected"
    # What the worker had begun is there when they are asked again.
    assert send_back(three, owner).draft == {"label": "0"}
    assert purse_left(one.worker) == 10
    books_are_right()


def test_a_worker_may_give_back_what_was_sent_back(owner):
    done = answer_next(published(owner, tasks=1, assignments_per_task=1))
    send_back(done, owner)
    assert work.return_assignment(assignment_id=done.id, worker=done.worker).state == "returned"
    assert (work.resubmit_overdue(), OpenTask.objects.get().free) == (0, 1)
    books_are_right()


def test_an_answer_is_sent_back_three_times_and_then_decided(owner):
    project = published(owner)
    done, other = answer_many(project, 2)
    for turn in range(3):
        send_back(done, owner)
        if turn == 1:
            out_of_time(done)
            work.resubmit_overdue()
        else:
            work.submit_answer(assignment_id=done.id, worker_id=done.worker_id, answer={"label": "1"})
    for again in (
        lambda: send_back(done, owner),
        lambda: services.send_back_many(
            project_id=project.id, ids=[other.id, done.id], reviewer=owner, comment="Look at the left edge."
        ),
    ):
        with pytest.raises(errors.SentBackTooOften) as refusal:
            again()
        assert refusal.value.extra == {"assignments": [str(done.id)]}
    assert (fresh(done).state, fresh(other).state) == ("submitted", "submitted")
    assert send_back(other, owner).state == "sent_back"
    assert accept(done, owner).state == "accepted"


def test_sending_back_has_a_comment(owner):
    done = answer_next(published(owner))
    for comment in ("", "Too short", " " * 20):
        with pytest.raises(Invalid) as refusal:
            send_back(done, owner, comment)
        assert [each.field for each in refusal.value.errors] == ["comment"]


def test_many_are_sent_back(owner):
    project = published(owner)
    one, two = answer_many(project, 2)
    accept(two, owner)
    changed = services.send_back_many(
        project_id=project.id, ids=[one.id, two.id, uuid4()], reviewer=owner, comment="Look at the left edge."
    )
    assert (changed, fresh(one).state) == ([one.id], "sent_back")


# Paying beyond the reward


def test_each_bonus_pays_again(owner):
    done = answer_next(published(owner, money=200))
    for _ in range(2):
        services.pay_bonus(assignment_id=done.id, reviewer=owner, amount=25, reason="A fine answer")
    assert (purse_left(done.worker), purse_left(owner)) == (50, 90)
    memos = Transfer.objects.filter(kind="bonus", subject_id=done.id).values_list("memo", flat=True)
    assert list(memos) == ["A fine answer"] * 2


def test_a_bonus_that_the_purse_cannot_pay_changes_nothing(owner):
    project = published(owner, money=70)
    done = answer_next(project)
    with pytest.raises(InsufficientFunds):
        services.pay_bonus(assignment_id=done.id, reviewer=owner, amount=11, reason="A fine answer")
    assert (purse_left(owner), escrow_of(project), purse_left(done.worker)) == (10, 60, 0)
    assert not Transfer.objects.filter(kind="bonus").exists()


def test_a_bonus_wants_an_answer(owner):
    project = published(owner)
    taken = work.claim_next(worker_id=make_user().id, project_id=project.id)
    with pytest.raises(errors.NotSubmitted):
        services.pay_bonus(assignment_id=taken.id, reviewer=owner, amount=1, reason="Thank you")


@pytest.mark.parametrize("state", ["returned", "expired", "rejected"])
def test_a_part_is_paid_once_for_work_that_was_not_accepted(owner, state):
    project = published(owner)
    worker = make_user("Worker")
    if state == "rejected":
        done = reject(answer_next(project, worker), owner)
    else:
        done = work.claim_next(worker_id=worker.id, project_id=project.id)
        if state == "returned":
            work.return_assignment(assignment_id=done.id, worker=worker)
        else:
            out_of_time(done)
            work.expire_overdue()

    def pay(amount):
        return services.pay_part(assignment_id=done.id, reviewer=owner, amount=amount, reason="Screened out")

    with pytest.raises(Invalid):
        pay(11)
    pay(10)
    for amount in (10, 1):
        with pytest.raises(errors.AlreadyPaid):
            pay(amount)
    assert purse_left(worker) == 10
    books_are_right()


@pytest.mark.parametrize("state", ["claimed", "submitted", "accepted"])
def test_no_part_is_paid_for_work_that_can_still_be_paid_whole(owner, state):
    project = published(owner)
    worker = make_user()
    taken = work.claim_next(worker_id=worker.id, project_id=project.id)
    if state != "claimed":
        work.submit_answer(assignment_id=taken.id, worker_id=worker.id, answer={"label": "1"})
    if state == "accepted":
        accept(taken, owner)
    with pytest.raises(errors.NotSubmitted):
        services.pay_part(assignment_id=taken.id, reviewer=owner, amount=1, reason="Screened out")


# Workers who have closed their account


def close_account(user, *, forfeit: bool = False) -> None:
    accounts.close_account(user=user, confirm=user.email, forfeit=forfeit)


def fees_of_the_hall() -> int:
    return ledger.system_purse(kind=Purse.Kind.FEES, currency="USD").balance


@pytest.mark.parametrize("fee_bps", [0, 1000])
def test_what_is_accepted_after_its_worker_closed_the_account_is_paid_to_the_hall(owner, settings, fee_bps):
    """By a person, among many, by the clock, or as a rejection that is overturned; others are paid as ever."""
    settings.FEE_BPS = fee_bps
    project = published(owner, tasks=5)
    leaving, staying = make_user("Leaving"), make_user("Staying")
    one, two, three, four = answer_many(project, 4, leaving)
    other = answer_next(project, staying)
    reject(four, owner)
    close_account(leaving, forfeit=True)
    accept(one, owner)
    assert services.accept_many(project_id=project.id, reviewer=owner, ids=[two.id, other.id]).paid == 20
    due(three)
    assert services.accept_due() == 1
    accept(four, owner)
    fee = fee_bps // 1000
    assert (purse_left(leaving), purse_left(staying), fees_of_the_hall()) == (0, 10, 40 + 5 * fee)
    books_are_right()
    assert [problem for check in audits.checks().values() for problem in check()] == []


def test_a_rejection_does_not_keep_an_account_open(owner):
    done = answer_next(published(owner))
    reject(done, owner)
    close_account(done.worker)
    accept(done, owner)
    assert (purse_left(done.worker), fees_of_the_hall()) == (0, 10)


@pytest.mark.parametrize("verb", ["pay_bonus", "pay_part"])
def test_nothing_more_is_paid_to_a_closed_account(owner, verb):
    done = answer_next(published(owner, money=200))
    reject(done, owner)
    close_account(done.worker)
    before = purse_left(owner)
    with pytest.raises(errors.AccountClosed):
        getattr(services, verb)(assignment_id=done.id, reviewer=owner, amount=5, reason="Half of it was right")
    assert (purse_left(done.worker), purse_left(owner)) == (0, before)


# The clock


def due(assignment) -> None:
    Assignment.objects.filter(id=assignment.id).update(auto_accept_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("verb", [None, "pause_project", "close_project"])
def test_answers_that_nobody_reviews_are_accepted_by_the_clock(owner, verb):
    project = published(owner)
    done, waiting = answer_many(project, 2)
    due(done)
    if verb:
        getattr(projects, verb)(project_id=project.id, by=owner)
    assert services.accept_due() == 1
    assert services.accept_due() == 0
    decided = fresh(done)
    assert (decided.state, decided.decided_by_id, fresh(waiting).state) == ("accepted", None, "submitted")
    assert purse_left(done.worker) == 10
    assert ReviewTally.objects.get(project=project).accepted == 1
    books_are_right()


def test_what_was_rejected_or_sent_back_is_not_accepted_by_the_clock(owner):
    project = published(owner)
    one, two = answer_many(project, 2)
    reject(one, owner)
    send_back(two, owner)
    for each in (one, two):
        due(each)
    assert services.accept_due() == 0


def test_one_project_in_trouble_does_not_keep_the_others_waiting(owner, monkeypatch):
    """Its rows were made without money, and are the oldest that are due: more than one sweep takes."""
    monkeypatch.setattr(accepting, "SWEEP", 2)
    broke = published_project(make_user("Broke"), tasks=4)
    worker = make_user("Ana")
    for _ in range(3):
        taken = answer_next(broke, worker, {"label": "duck"})
        Assignment.objects.filter(id=taken.id).update(auto_accept_at=timezone.now() - timedelta(days=1))
    done = answer_next(published(owner))
    due(done)
    assert services.accept_due() == 1
    assert fresh(done).state == "accepted"
    assert Assignment.objects.filter(project=broke, state="submitted").count() == 3


def test_the_ledger_is_whole_after_all_of_it(owner):
    project = published(owner, tasks=4, assignments_per_task=1)
    one, two, three = answer_many(project, 3)
    accept(one, owner)
    reject(two, owner)
    services.pay_part(assignment_id=two.id, reviewer=owner, amount=5, reason="Half of it was right")
    send_back(three, owner)
    services.pay_bonus(assignment_id=one.id, reviewer=owner, amount=7, reason="Thank you")
    books_are_right()
    assert [problem for check in audits.checks().values() for problem in check()] == []
    assert ledger.purse_of(owner_id=one.worker_id, currency="USD").balance == 10 + 5 + 7
