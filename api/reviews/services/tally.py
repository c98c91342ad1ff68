"""The count of a project's decisions, and the brake on rejections."""

from django.conf import settings

from api.projects.models import Project
from api.reviews.errors import RejectionsHalted
from api.reviews.models import ReviewTally


def locked_tally(project: Project) -> ReviewTally:
    """The project's tally, held until the transaction ends. Taken after assignments and before purses."""
    ReviewTally.objects.bulk_create([ReviewTally(project=project)], ignore_conflicts=True)
    return ReviewTally.objects.select_for_update().get(project=project)


def is_halted(tally: ReviewTally) -> bool:
    """Whether rejections have passed both their share of decisions and their number."""
    decided = tally.accepted + tally.rejected
    return (
        tally.rejected >= settings.REJECTION_LIMIT_COUNT and tally.rejected > settings.REJECTION_LIMIT_SHARE * decided
    )


def require_not_halted(tally: ReviewTally) -> None:
    if is_halted(tally):
        raise RejectionsHalted(accepted=tally.accepted, rejected=tally.rejected)
