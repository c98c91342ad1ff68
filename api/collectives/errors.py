"""The cases of collectives that a caller must tell apart."""

from api.core.errors import Conflict, NotAllowed


class Denied(NotAllowed):
    code = "denied"
    message = "The collective's rules do not let you do this."


class FollowsUser(Conflict):
    code = "follows_user"
    message = "Your own collective carries your name. Change the name in your profile."


class LastOwner(Conflict):
    """`extra["collectives"]` names them."""

    code = "last_owner"
    message = "You are the last owner of a collective that has other members. Make one of them an owner first."
