"""Readers of the outbox in the jobs processes: each event has its effect once, however many processes run."""

from api.realtime import cursor
from api.realtime.cursor import Page
from api.realtime.models import Consumer

# Transactions that a quiet reader passes over before it writes down how far it has come: writing is a transaction too.
_QUIET = 500


def take(name: str, limit: int = 1000) -> Page:
    """The next events for the consumer `name`, inside the caller's transaction, which is what makes it once.

    Empty while another process is at it. What is there when a consumer is first asked for is not new to it.
    """
    held = Consumer.objects.filter(name=name).select_for_update(skip_locked=True).first()
    if held is None:
        Consumer.objects.get_or_create(name=name, defaults={"cursor": cursor.now()})
        return Page([], "", more=False)
    page = cursor.read(held.cursor, limit)
    if page.events or page.more or _is_far(held.cursor, page.cursor):
        held.cursor = page.cursor
        held.save(update_fields=["cursor"])
    return page


def _is_far(seen: str, target: str) -> bool:
    """Also when transaction ids have started anew, because the data was loaded into a new server."""
    distance = int(target.split(":")[0]) - int(seen.split(":")[0])
    return distance > _QUIET or distance < 0
