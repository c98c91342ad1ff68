"""What those who act for a collective are told about its projects."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from api.projects.models import Project
from api.realtime import notices
from api.realtime.cursor import Seen
from api.realtime.notices import Notice


def of_closing(events: Sequence[Seen]) -> Iterator[Notice]:
    found = Project.objects.in_bulk({event.subject_id for event in events})
    for event in events:
        project = found[event.subject_id]
        by = UUID(event.data["by"]) if "by" in event.data else None
        yield Notice(project.collective_id, event.type, project.id, {"title": project.title}, but_not=by)


def register() -> None:
    notices.register("projects.closing", ["project.closed"], of_closing)
