"""What workers are told about the review of their answers, and requesters about having to stop rejecting."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db.models import QuerySet

from api.projects.models import Project
from api.realtime import notices
from api.realtime.cursor import Seen
from api.realtime.notices import Notice
from api.reviews.models import ReviewTally
from api.reviews.services.tally import is_halted
from api.work.models import Assignment, State

# As much of a comment as a line of a list shows.
LONGEST_EXCERPT = 300


def of_acceptance(events: Sequence[Seen]) -> Iterator[Notice]:
    """Accepted and paid: by project, or by itself where a rejection was overturned."""
    found = _assignments(events)
    for event in events:
        each = found[event.subject_id]
        overturned = event.data.get("from") == "rejected"
        yield Notice(
            each.worker_id,
            "assignment.overturned" if overturned else "assignment.accepted",
            each.id if overturned else each.project_id,
            {"project": str(each.project_id), "title": each.project.title},
            amount=each.reward,
            currency=each.project.currency,
        )


def of_refusal(events: Sequence[Seen]) -> Iterator[Notice]:
    """Sent back or rejected, with what the reviewer said at that time."""
    found = _assignments(events)
    for event in events:
        each = found[event.subject_id]
        # What has been decided otherwise since is told by its own event; here the words would not fit the kind.
        if each.state == event.type.partition(".")[2]:
            until = each.settles_at if each.state == State.REJECTED else each.expires_at
            data = {
                "project": str(each.project_id),
                "title": each.project.title,
                "comment": each.comment[:LONGEST_EXCERPT],
                "category": each.category,
                "until": until.isoformat() if until else None,
            }
            yield Notice(each.worker_id, event.type, each.id, data)


def of_extra_pay(events: Sequence[Seen]) -> Iterator[Notice]:
    found = _assignments(events)
    for event in events:
        each = found[event.subject_id]
        yield Notice(
            each.worker_id,
            event.type,
            each.project_id,
            {"project": str(each.project_id), "title": each.project.title},
            amount=event.data["amount"],
            currency=event.data["currency"],
        )


def of_the_brake(events: Sequence[Seen]) -> Iterator[Notice]:
    """Nobody can reject in the project any more."""
    tallies = ReviewTally.objects.filter(project_id__in={event.data["project"] for event in events})
    halted = [tally.project_id for tally in tallies if is_halted(tally)]
    for project in Project.objects.filter(id__in=halted).order_by("id"):
        yield Notice(project.collective_id, "project.rejections_halted", project.id, {"title": project.title})


def _assignments(events: Sequence[Seen]) -> dict[UUID, Assignment]:
    rows: QuerySet[Assignment] = Assignment.objects.select_related("project").defer("draft", "answer")
    return rows.in_bulk({event.subject_id for event in events})


def register() -> None:
    notices.register("reviews.acceptance", ["assignment.accepted"], of_acceptance)
    notices.register("reviews.refusal", ["assignment.sent_back", "assignment.rejected"], of_refusal)
    notices.register("reviews.extra_pay", ["assignment.bonus", "assignment.partial"], of_extra_pay)
    notices.register("reviews.brake", ["assignment.rejected"], of_the_brake)
