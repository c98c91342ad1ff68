"""What a user tells about themselves."""

from typing import Any
from uuid import UUID

from django.db import transaction

from api.accounts.models import User


@transaction.atomic
def update_profile(*, user_id: UUID, changes: dict[str, Any]) -> User:
    """Set any of `name`, `locale`, `timezone`, `theme` and `uses`; they were validated by the caller."""
    user = User.objects.select_for_update().get(pk=user_id)
    for field, value in changes.items():
        setattr(user, field, value)
    if changes:
        user.save(update_fields=list(changes))
    return user
