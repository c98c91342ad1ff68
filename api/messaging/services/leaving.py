"""What becomes of messages when an account is closed."""

from api.accounts.models import User
from api.messaging.models import Correspondent, Mark


def close_account(user: User, forfeit: bool) -> None:
    """A step of closing an account: messages stay with those who got them, under the name that is erased with it.

    Blocks stay too: a closed account writes nothing, and nobody writes to it.
    """
    Mark.objects.filter(user=user).delete()
    Correspondent.objects.filter(user=user).delete()
