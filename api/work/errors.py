"""Why work cannot be claimed, kept or handed in."""

from api.core.errors import Conflict, Invalid


class NoTaskLeft(Conflict):
    code = "no_task_left"
    message = "No task in this project is left for you."


class ProjectNotOpen(Conflict):
    code = "project_not_open"
    message = "This project is paused or closed. What you have claimed you can still finish."


class OwnProject(Conflict):
    code = "own_project"
    message = "This is your own project. Preview it instead; others do its work."


class WorkerLimit(Conflict):
    code = "worker_limit"
    message = "You have done as many tasks of this project as one worker may."


class HoldLimit(Conflict):
    code = "hold_limit"
    message = "You hold as many tasks as one worker may at a time. Submit or return one first."


class TaskTaken(Conflict):
    code = "task_taken"
    message = "All places of this task are taken."


class AlreadyHad(Conflict):
    code = "already_had"
    message = "You have had this task before."


class WrongState(Conflict):
    code = "wrong_state"
    message = "This assignment is not in a state in which that can be done."


class TooLate(Conflict):
    code = "too_late"
    message = (
        "The time for this assignment is over. Your draft is kept. A task you claimed goes to others; "
        "an answer that was sent back to you stands as it was."
    )


class InvalidAnswer(Invalid):
    code = "invalid_answer"
    message = "The answer is not complete or not as the project asks. See the fields."


class WorkPending(Conflict):
    """`extra["waiting"]` counts them."""

    code = "work_pending"
    message = "Some of your answers are not decided yet. Close the account when they are, or forfeit their pay."
