"""The cases of messages that a caller must tell apart."""

from api.core.errors import Conflict, Invalid, NotAllowed


class Blocked(NotAllowed):
    code = "blocked"
    message = "One of you has blocked the other, so no message can be sent here."


class WorkerGone(Conflict):
    code = "worker_gone"
    message = "This worker has closed their account. Nobody would read it."


class AnnouncementsOnly(NotAllowed):
    code = "announcements_only"
    message = "Only the requester writes here. Ask your question in a thread of your own about the project."


class SameText(Conflict):
    code = "same_text"
    message = "You have sent this text to several threads already. To tell all workers of a project, announce it."


class TooManyMessages(Invalid):
    """`retry_after`: seconds until one more is taken."""

    code = "too_many_messages"
    message = "You are writing too fast. Wait a little, then send it again."
    status = 429

    def __init__(self, retry_after: int, message: str = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyThreads(TooManyMessages):
    code = "too_many_threads"
    message = "You have begun many conversations in a short time. Wait before you begin another."


class NothingToBlock(Conflict):
    code = "nothing_to_block"
    message = "There is no other side to block here. Mute the thread instead."
