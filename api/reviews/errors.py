"""Why an answer cannot be reviewed."""

from api.core.errors import Conflict


class NotSubmitted(Conflict):
    code = "wrong_state"
    message = "Only an answer that was submitted and not yet decided can be reviewed."


class RejectionsHalted(Conflict):
    code = "rejections_halted"
    message = (
        "More than 20 % of the decisions in this project are rejections, so no more can be made. "
        "Accept the answers, or send them back with a comment."
    )


class SentBackTooOften(Conflict):
    """`extra["assignments"]` names them."""

    code = "sent_back_too_often"
    message = "An answer is sent back three times at most. Accept it, or reject it."


class NotWhatWasSeen(Conflict):
    code = "changed_meanwhile"
    message = "The number of answers that match has changed since you looked. Look again, then decide."


class AlreadyPaid(Conflict):
    code = "already_paid"
    message = "This assignment was paid in part before."


class AccountClosed(Conflict):
    code = "account_closed"
    message = "This worker has closed their account, so nothing more can be paid to them."
