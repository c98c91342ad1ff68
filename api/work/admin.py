"""Assignments and what became of them, for operators to look at. States move by verbs only, so nothing is edited."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from api.collectives.models import Pseudonym
from api.core.admin import ReadOnly, id_in
from api.core.money import shown
from api.ledger.models import Entry
from api.work.models import Assignment, Hidden, Move, Participation


class MoveInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Move
    fields = readonly_fields = ("at", "to", "by", "why")
    ordering = ("id",)
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Move]:
        return super().get_queryset(request).select_related("by")


@admin.register(Assignment)
class AssignmentAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("id", "state", "project", "worker", "price", "late", "claimed_at", "submitted_at", "decided_at")
    list_filter = ("state", "late")
    list_select_related = ("project", "worker")
    search_fields = ("id",)
    search_help_text = (
        "The id of an assignment, a task, a project or a worker; a worker's address; or a pseudonym."
        " The newest 5,000 are listed."
    )
    ordering = ("-id",)
    inlines = (MoveInline,)
    fieldsets = (
        (None, {"fields": ("id", "state", "project", "version", "task", "worker", "pseudonym", "price")}),
        ("Times", {"fields": ("claimed_at", "expires_at", "submitted_at", "late", "auto_accept_at")}),
        ("Decision", {"fields": ("decided_at", "decided_by", "category", "comment", "settles_at", "payments")}),
        ("Work", {"fields": ("draft", "draft_saved_at", "answer"), "classes": ("collapse",)}),
    )
    readonly_fields = ("pseudonym", "price", "payments")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        rows = super().get_queryset(request)
        one = request.resolver_match and request.resolver_match.kwargs.get("object_id")
        if one:
            return rows.select_related("project", "version", "task", "worker", "decided_by")
        return rows.defer("draft", "answer", "comment")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Assignment], search_term: str
    ) -> tuple[QuerySet[Assignment], bool]:
        if not search_term.strip():
            return queryset, False
        if (wanted := id_in(search_term)) is not None:
            return _by_id(queryset, wanted), False
        if "@" in search_term:
            return queryset.filter(worker__email=search_term.strip().lower()), False
        names = Pseudonym.objects.filter(alias=search_term.strip().upper()).values_list("collective_id", "worker_id")
        found = queryset.none()
        for collective_id, worker_id in names:
            found |= queryset.filter(worker_id=worker_id, project__collective_id=collective_id)
        return found, False

    @admin.display(description="reward")
    def price(self, assignment: Assignment) -> str:
        return shown(assignment.reward, assignment.project.currency)

    @admin.display(description="known to the requester as")
    def pseudonym(self, assignment: Assignment) -> str:
        known = Pseudonym.objects.filter(
            collective_id=assignment.project.collective_id, worker_id=assignment.worker_id
        ).first()
        return known.alias if known else ""

    @admin.display(description="paid to the worker")
    def payments(self, assignment: Assignment) -> str:
        entries = Entry.objects.filter(
            transfer__subject_id=assignment.id, purse__owner_id=assignment.worker_id, purse__kind="purse"
        ).select_related("transfer")
        lines = (
            (shown(entry.amount, entry.currency), entry.transfer.get_kind_display(), entry.at, entry.transfer.memo)
            for entry in entries.order_by("id")
        )
        return format_html_join("\n", "<div>{} {} at {}: {}</div>", lines) or "nothing"


def _by_id(rows: QuerySet[Assignment], wanted: UUID) -> QuerySet[Assignment]:
    """Whatever the id is of, by the index that has it."""
    for key in ("id", "task_id", "project_id", "worker_id"):
        found = rows.filter(**{key: wanted})
        if found.exists():
            return found
    return rows.none()


@admin.register(Participation)
class ParticipationAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """How far workers have come through projects: why somebody is offered nothing more."""

    list_display = ("worker", "project", "taken", "claims", "next_position", "started_at")
    list_select_related = ("worker", "project")
    search_fields = ("id",)
    search_help_text = "The id or address of a worker, or the id of a project."
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Participation], search_term: str
    ) -> tuple[QuerySet[Participation], bool]:
        return _of_worker_or_project(queryset, search_term), False


@admin.register(Hidden)
class HiddenAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("worker", "project", "at")
    list_select_related = ("worker", "project")
    search_fields = ("id",)
    search_help_text = "The id or address of a worker, or the id of a project."
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Hidden], search_term: str
    ) -> tuple[QuerySet[Hidden], bool]:
        return _of_worker_or_project(queryset, search_term), False


def _of_worker_or_project(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    if not text.strip():
        return rows
    if (wanted := id_in(text)) is None:
        return rows.filter(worker__email=text.strip().lower())
    found = rows.filter(worker_id=wanted)
    return found if found.exists() else rows.filter(project_id=wanted)
