"""Money into a project's escrow, and back to its collective's purse.

For whoever holds the lock on the project; what comes back with a single place is in `places.py`.
"""

from uuid import UUID

from django.db.models import F

from api.accounts.models import User
from api.ledger import services as ledger
from api.ledger.models import Transfer
from api.projects.models import Project, ProjectStats
from api.projects.services.places import unit_cost


def fund_places(*, project: Project, places: int, by: User, key: str) -> int:
    """Move what `places` cost at the published price into escrow. Returns the amount in minor units.

    `key` makes it happen once. Raises InsufficientFunds.
    """
    if project.published is None:
        raise ValueError("Places of a project that was never published cost nothing yet.")
    amount = places * unit_cost(project.published.reward, project)
    move(project=project, amount=amount, by=by.id, key=key, memo=f"{places} places in {project.title}")
    return amount


def move(*, project: Project, amount: int, by: UUID | None, key: str, memo: str) -> None:
    """Move `amount` into escrow, or when negative out of it and back to the purse. Raises InsufficientFunds."""
    if not amount:
        return
    hold = ledger.hold_of(
        kind="project", subject_id=project.id, owner_id=project.collective_id, currency=project.currency
    )
    purse = ledger.purse_of(owner_id=project.collective_id, currency=project.currency)
    ledger.transfer(
        key=key,
        kind=Transfer.Kind.FUND if amount > 0 else Transfer.Kind.RELEASE,
        lines=[(purse.id, -amount), (hold.id, amount)],
        memo=memo[:200],
        by=by,
        subject=("project", project.id),
    )
    ProjectStats.objects.filter(project=project).update(funded=F("funded") + amount)
