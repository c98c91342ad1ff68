"""Closing an account."""

from collections.abc import Collection
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import connection, transaction
from django.utils import timezone

from api.accounts import closing
from api.accounts.models import Application, User
from api.accounts.services import authorisations, sessions
from api.core.errors import FieldError, Invalid


@transaction.atomic
def close_account(*, user: User, confirm: str, forfeit: bool) -> None:
    """Erase who the user was, and keep what they did under the same id.

    `confirm` is the user's own e-mail address. Raises Invalid when it is not, and whatever Conflict a domain refuses
    with; then nothing has changed.
    """
    row = User.objects.select_for_update().get(pk=user.pk)
    if confirm.strip().lower() != row.email:
        raise Invalid(errors=[FieldError("confirm", "Type your own e-mail address to confirm.", "mismatch")])
    for step in closing.steps():
        step(row, forfeit)
    authorisations.end_all(user=row)
    Application.objects.filter(user=row).delete()
    sessions.end_all(user=row)
    UserSession.objects.filter(user_id=row.pk).delete()
    Authenticator.objects.filter(user_id=row.pk).delete()
    EmailAddress.objects.filter(user_id=row.pk).delete()
    row.groups.clear()
    row.user_permissions.clear()
    row.email = f"closed-{row.pk}@closed.invalid"
    row.name = ""
    row.locale, row.timezone, row.theme, row.uses = "en", "UTC", User.Theme.SYSTEM, []
    row.is_active = row.is_staff = row.is_superuser = False
    row.last_login = None
    row.closed_at = timezone.now()
    row.set_unusable_password()
    row.save()


def keep_open(user_ids: Collection[UUID]) -> frozenset[UUID]:
    """Which of these users have closed their account; the others cannot until the transaction ends.

    For whoever is about to pay them: what arrives after the account is closed, nobody can reach. A key-share lock, so
    any number may pay the same user at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, closed_at IS NOT NULL FROM accounts_user WHERE id = ANY(%s::uuid[]) ORDER BY id FOR KEY SHARE",
            [sorted(user_ids)],
        )
        return frozenset(id_ for id_, closed in cursor.fetchall() if closed)
