"""Browser sessions."""

from collections.abc import Iterable

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from api.accounts.models import User
from api.accounts.selectors import visible_sessions
from api.accounts.services import authorisations
from api.core.errors import NotFound

SWEEP = 1000


@transaction.atomic
def end_session(*, user: User, session_id: int) -> None:
    """Sign the user out of one browser, with the tokens Guildhall's own client got there.

    Raises NotFound when it is not the user's, or is over already.
    """
    session = visible_sessions(user).select_for_update(of=("self",)).filter(pk=session_id).first()
    if session is None:
        raise NotFound
    end(sessions=[session])


@transaction.atomic
def end_all(*, user: User, but: str | None = None) -> None:
    """Sign the user out of every browser but the one whose session key is `but`."""
    end(sessions=list(UserSession.objects.filter(user_id=user.pk).exclude(session_key=but or "")))


@transaction.atomic
def end(*, sessions: Iterable[UserSession]) -> None:
    rows = list(sessions)
    authorisations.end_of_sessions(session_ids=[row.pk for row in rows])
    Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
    UserSession.objects.filter(pk__in=[row.pk for row in rows]).delete()


@transaction.atomic
def forget_old() -> int:
    """Delete sessions that ran out, and what was noted of sessions that are no more. Safe to run several times at once.

    Answers how many rows were found, at most `SWEEP` of each kind.
    """
    expired = Session.objects.filter(expire_date__lt=timezone.now()).select_for_update(skip_locked=True)
    keys = list(expired.values_list("session_key", flat=True)[:SWEEP])
    Session.objects.filter(session_key__in=keys).delete()
    still_there = Session.objects.filter(session_key=OuterRef("session_key"))
    orphans = UserSession.objects.filter(~Exists(still_there)).select_for_update(skip_locked=True)
    ids = list(orphans.values_list("id", flat=True)[:SWEEP])
    UserSession.objects.filter(pk__in=ids).delete()
    return max(len(keys), len(ids))
