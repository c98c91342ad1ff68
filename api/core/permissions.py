"""Who may call what: one table per resource, read by one permission class. What is not in a table is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request


@dataclass(frozen=True)
class Rule:
    """Who may call an action, as far as the request alone can tell.

    What depends on the object (its collective, its worker) is decided where the object is fetched: `visible_*`
    answers 404, and `collectives.govern` answers 403. `says` is the row as people read it.
    """

    says: str
    allows: Callable[[Any], bool]


@dataclass(frozen=True)
class Row:
    """One row of a permission table: the rule, and the OAuth2 scope the token needs (None: no token needed)."""

    rule: Rule
    scope: str | None


ANYONE = Rule("anyone", lambda user: True)
SIGNED_IN = Rule("anyone signed in", lambda user: bool(user.is_authenticated))
WORKER = Rule("the worker who holds it", lambda user: bool(user.is_authenticated))
MEMBER = Rule("members of the collective", lambda user: bool(user.is_authenticated))
GOVERNED = Rule("members, as the collective's charter says", lambda user: bool(user.is_authenticated))


class InsufficientScope(PermissionDenied):
    problem_code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs a token with the scope {scope}.")
        self.auth_header = f'Bearer error="insufficient_scope", scope="{scope}"'


class TablePermission(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        row: Row | None = view.permission_table.get(view.action)
        if row is None:
            return False
        if row.scope is not None:
            if not request.user.is_authenticated:
                raise NotAuthenticated
            if row.scope not in request.auth.scopes:
                raise InsufficientScope(row.scope)
        return row.rule.allows(request.user)
