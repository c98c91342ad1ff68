"""Closing an account: each domain may refuse, or erases what it holds about who the person was."""

from collections.abc import Callable

from api.accounts.models import User

Step = Callable[[User, bool], None]
_steps: dict[str, Step] = {}


def register(name: str, step: Step) -> None:
    """Have `step(user, forfeit)` called in the transaction that closes an account, before accounts erases its own.

    A step raises a Conflict to refuse; `forfeit` says that the user gives up what they still own. It erases personal
    data and keeps ids and money records. Raises ValueError when another step has the name already.
    """
    if _steps.get(name, step) is not step:
        raise ValueError(f"There is a step {name!r} already.")
    _steps[name] = step


def steps() -> list[Step]:
    return list(_steps.values())
