"""What becomes of a worker's work when they close their account."""

from api.accounts.models import User
from api.work import errors
from api.work.models import Assignment, Hidden, State
from api.work.services.handback import return_assignment


def close_account(user: User, forfeit: bool) -> None:
    """A step of closing an account: give back what is in hand, forget what was hidden.

    Answers stay under the worker's pseudonyms. Raises WorkPending while some may still be paid for by themselves
    (submitted or sent back), unless the user forfeits that. What is accepted later all the same, a rejection that is
    overturned too, is paid to the hall.
    """
    waiting = Assignment.objects.filter(worker=user, state__in=[State.SUBMITTED, State.SENT_BACK]).count()
    if waiting and not forfeit:
        raise errors.WorkPending(waiting=waiting)
    held = Assignment.objects.filter(worker=user, state__in=State.held()).order_by("project_id", "id")
    for assignment_id in list(held.values_list("id", flat=True)):
        return_assignment(assignment_id=assignment_id, worker=user, reason="account closed")
    Hidden.objects.filter(worker=user).delete()
