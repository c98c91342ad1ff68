"""Paying beyond the reward: a bonus, or a part of it for work that was not accepted. Both come from the purse."""

from uuid import UUID

from django.db import transaction

from api.accounts.models import User
from api.accounts.services.closing import keep_open
from api.collectives.services import govern
from api.core.errors import FieldError, Invalid
from api.core.ids import uuid7
from api.ledger import services as ledger
from api.ledger.models import Transfer
from api.realtime import outbox
from api.reviews.errors import AccountClosed, AlreadyPaid, NotSubmitted
from api.reviews.selectors import access_review
from api.work.models import Assignment, State

_ANSWERED = (State.SUBMITTED, State.SENT_BACK, State.ACCEPTED, State.REJECTED)
_NOT_ACCEPTED = (State.RETURNED, State.EXPIRED, State.REJECTED)


@transaction.atomic
def pay_bonus(*, assignment_id: UUID, reviewer: User, amount: int, reason: str) -> Transfer:
    """Pay a worker `amount` (minor units) on top of the reward. Each call pays again.

    Raises NotFound, Denied, NotSubmitted before there is an answer, AccountClosed, InsufficientFunds.
    """
    assignment = access_review(reviewer, assignment_id, lock=True)
    govern(actor=reviewer, action="work.bonus", subject=assignment.project, facts={"amount": amount})
    if assignment.state not in _ANSWERED:
        raise NotSubmitted("A bonus is paid for an answer, and there is none.")
    return _pay(assignment, reviewer, amount, reason, f"bonus:{uuid7()}", Transfer.Kind.BONUS)


@transaction.atomic
def pay_part(*, assignment_id: UUID, reviewer: User, amount: int, reason: str) -> Transfer:
    """Pay a worker a part of the reward for work that was returned, expired or rejected; once.

    Raises NotFound, Denied, Invalid above the reward, NotSubmitted in another state, AlreadyPaid, AccountClosed,
    InsufficientFunds.
    """
    assignment = access_review(reviewer, assignment_id, lock=True)
    govern(actor=reviewer, action="work.bonus", subject=assignment.project, facts={"amount": amount})
    if assignment.state not in _NOT_ACCEPTED:
        raise NotSubmitted("A part is paid for work that was returned, expired or rejected.")
    if amount > assignment.reward:
        raise Invalid(errors=[FieldError("amount.amount", "A part is at most the reward. Pay the rest as a bonus.")])
    key = f"partial:{assignment.id}"
    if Transfer.objects.filter(key=key).exists():
        raise AlreadyPaid
    return _pay(assignment, reviewer, amount, reason, key, Transfer.Kind.PARTIAL)


def _pay(assignment: Assignment, reviewer: User, amount: int, reason: str, key: str, kind: Transfer.Kind) -> Transfer:
    project = assignment.project
    if keep_open([assignment.worker_id]):
        raise AccountClosed
    payer = ledger.purse_of(owner_id=project.collective_id, currency=project.currency)
    payee = ledger.purse_of(owner_id=assignment.worker_id, currency=project.currency)
    paid = ledger.transfer(
        key=key,
        kind=kind,
        lines=[(payer.id, -amount), (payee.id, amount)],
        memo=reason,
        by=reviewer.id,
        subject=("assignment", assignment.id),
    )
    outbox.publish(
        f"assignment.{kind}",
        subject=assignment.id,
        audience=[assignment.worker_id, project.collective_id],
        data={"project": str(project.id), "amount": amount, "currency": project.currency},
    )
    return paid
