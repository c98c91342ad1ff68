"""What may be sent of each type of event, and which scopes a token needs for it. What is not here is sent to nobody.

Domains publish more than this: facts for jobs, and ids that are nobody else's business.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """`scopes`: one of them is enough, because the same event goes to workers and to requesters. `data`: its fields."""

    scopes: frozenset[str]
    data: tuple[str, ...] = ()


_WORK = frozenset({"work:read"})
_ANSWER = frozenset({"work:read", "reviews:read"})
_PROJECT = frozenset({"projects:read"})
_LEDGER = frozenset({"ledger:read"})
_ACCOUNT = frozenset({"account:read"})
_MESSAGES = frozenset({"messages:read"})

KINDS: dict[str, Kind] = {
    "assignment.claimed": Kind(_WORK, ("project",)),
    "assignment.returned": Kind(_WORK, ("project", "from")),
    "assignment.expired": Kind(_WORK, ("project", "from")),
    "assignment.submitted": Kind(_ANSWER, ("project", "from")),
    "assignment.sent_back": Kind(_ANSWER, ("project", "from")),
    "assignment.accepted": Kind(_ANSWER, ("project", "from")),
    "assignment.rejected": Kind(_ANSWER, ("project", "from")),
    "assignment.bonus": Kind(_ANSWER, ("project", "amount", "currency")),
    "assignment.partial": Kind(_ANSWER, ("project", "amount", "currency")),
    "project.published": Kind(_PROJECT, ("project", "version")),
    "project.paused": Kind(_PROJECT, ("project",)),
    "project.resumed": Kind(_PROJECT, ("project",)),
    "project.closed": Kind(_PROJECT, ("project",)),
    "batch.imported": Kind(_PROJECT, ("project", "added")),
    "deposit.requested": Kind(_LEDGER, ("deposit", "purse")),
    "deposit.confirmed": Kind(_LEDGER, ("deposit", "purse")),
    "deposit.cancelled": Kind(_LEDGER, ("deposit", "purse")),
    "payout.requested": Kind(_LEDGER, ("payout", "purse")),
    "payout.batched": Kind(_LEDGER, ("payout", "purse")),
    "payout.cancelled": Kind(_LEDGER, ("payout", "purse")),
    "payout.paid": Kind(_LEDGER, ("payout", "purse")),
    "payout.failed": Kind(_LEDGER, ("payout", "purse")),
    "notification.created": Kind(_ACCOUNT, ("notification", "kind", "about")),
    "notification.read": Kind(_ACCOUNT, ("count",)),
    "message.sent": Kind(_MESSAGES, ("thread", "message")),
    "thread.read": Kind(_MESSAGES, ("thread",)),
    "thread.changed": Kind(_MESSAGES, ("thread",)),
}
