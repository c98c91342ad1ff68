"""The cases of projects that a caller must tell apart."""

from api.core.errors import Conflict, Invalid


class NotReady(Invalid):
    code = "not_ready"
    message = "This project cannot be published yet. Put right what is listed."


class NotADraft(Conflict):
    code = "not_a_draft"
    message = "Only a project that was never published can be changed like this."


class ProjectClosed(Conflict):
    code = "project_closed"
    message = "This project is closed, and stays so."


class WrongState(Conflict):
    code = "wrong_state"
    message = "The project is not in a state in which this can be done."


class NothingToPublish(Conflict):
    code = "nothing_to_publish"
    message = "There are no changes to publish. Resume the project if it should go on."


class LinesRefused(Invalid):
    """`extra["batch"]` is the batch with its report."""

    code = "lines_refused"
    message = "Some lines are not right, so nothing was added. They are listed in the batch."


class WorkOpen(Conflict):
    """`extra["projects"]` lists them."""

    code = "work_open"
    message = "You have projects that are still open. Close them first, and let what was submitted be decided."
