"""What callers of accounts must tell apart."""

from api.core.errors import Conflict, NotAllowed


class FirstPartyOnly(NotAllowed):
    code = "first_party_only"
    message = "Only Guildhall's own client may do this, so that no other application can widen its rights."


class TooManyApplications(Conflict):
    code = "too_many_applications"
    message = "You have as many applications as one user may. Delete one first."
