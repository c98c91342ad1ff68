"""The outbox for operators: what was told about a thing, and to whom."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from api.core.admin import ReadOnly, id_in
from api.realtime.models import Event

# How far back a search goes: no index leads from a subject to its events, because every claim would pay for it.
SEARCHED = 1_000_000


@admin.register(Event)
class EventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("id", "at", "type", "subject_id", "data")
    search_fields = ("subject_id",)
    search_help_text = f"The id of what it is about, or a type (assignment.accepted), among the newest {SEARCHED:,}."
    ordering = ("-id",)
    fields = readonly_fields = ("id", "at", "type", "subject_id", "audience", "data", "xid")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        if not search_term.strip():
            return queryset, False
        newest = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
        recent = queryset.filter(id__gt=newest - SEARCHED)
        if (subject := id_in(search_term)) is not None:
            return recent.filter(subject_id=subject), False
        return recent.filter(type=search_term.strip()), False
