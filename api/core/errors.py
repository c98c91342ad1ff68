"""Errors of the business code, in four kinds. A case that callers must tell apart is a subclass of two lines."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field. `field` is a dotted path into the body, such as `reward.amount`."""

    field: str
    detail: str
    code: str = "invalid"

    def as_dict(self) -> dict[str, str]:
        return {"field": self.field, "code": self.code, "detail": self.detail}


class DomainError(Exception):
    """Something the business code refuses. `code` never changes; `message` says what happened and what to do."""

    code = "error"
    message = "This cannot be done."

    def __init__(self, message: str = "", *, errors: list[FieldError] | None = None, **extra: Any) -> None:
        self.detail = message or self.message
        self.errors = errors or []
        self.extra = extra
        super().__init__(self.detail)


class Invalid(DomainError):
    """What was sent is wrong."""

    code = "invalid"
    message = "Some of what you sent is not right."


class NotAllowed(DomainError):
    """You may see this, but not do that to it."""

    code = "not_allowed"
    message = "You may not do this."


class NotFound(DomainError):
    """It is not there, or you may not see it; the two look the same from outside."""

    code = "not_found"
    message = "There is no such thing, or you may not see it."


class Conflict(DomainError):
    """Right in itself, but not in the present state of things."""

    code = "conflict"
    message = "This cannot be done in the present state."
