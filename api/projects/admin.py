"""Projects, versions, imports and tasks for operators to look at.

Nothing is edited here: what members may change has rules that their own pages keep; a published version never changes.
"""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from api.core.money import shown
from api.projects.models import Batch, BatchProblem, Project, ProjectStats, Task, Version
from api.projects.selectors import escrows_of, stats_of


class ReadOnly:
    """Looking only: no adding, changing or deleting."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class VersionInline(ReadOnly, admin.TabularInline):
    model = Version
    fk_name = "project"
    fields = ("number", "title", "reward", "assignments_per_task", "created_at", "published_at")
    readonly_fields = fields
    ordering = ("-number",)
    show_change_link = True
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        return super().get_queryset(request).defer("instructions", "interface", "input_schema", "answer_schema")


class StatsInline(ReadOnly, admin.StackedInline):
    model = ProjectStats
    verbose_name_plural = "progress"
    fields = (
        ("tasks", "open_places", "workers"),
        ("claimed", "submitted", "sent_back", "accepted", "rejected", "returned", "expired"),
        ("median_seconds", "hourly_wage", "updated_at"),
    )
    readonly_fields = tuple(name for row in fields for name in row)


@admin.register(Project)
class ProjectAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("title", "collective", "state", "price", "tasks", "open_places", "accepted", "published_at")
    list_filter = ("state", "currency", "published_at")
    search_fields = ("title", "=id", "collective__name", "created_by__email")
    list_select_related = ("collective", "published", "stats")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    inlines = (StatsInline, VersionInline)
    readonly_fields = ("escrow",)
    raw_id_fields = ("collective", "created_by", "published", "draft")

    @admin.display(description="reward")
    def price(self, project: Project) -> str:
        return shown(project.published.reward, project.currency) if project.published else ""

    @admin.display(ordering="stats__tasks")
    def tasks(self, project: Project) -> int:
        return stats_of(project).tasks

    @admin.display(ordering="stats__open_places")
    def open_places(self, project: Project) -> int:
        return stats_of(project).open_places

    @admin.display(ordering="stats__accepted")
    def accepted(self, project: Project) -> int:
        return stats_of(project).accepted

    @admin.display(description="in escrow")
    def escrow(self, project: Project) -> str:
        return shown(escrows_of([project.id]).get(project.id, 0), project.currency)


@admin.register(Version)
class VersionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("title", "number", "project", "reward", "assignments_per_task", "published_at")
    list_filter = ("published_at",)
    search_fields = ("title", "=id", "=project__id")
    list_select_related = ("project",)
    ordering = ("-id",)


class BatchProblemInline(ReadOnly, admin.TabularInline):
    """The first hundred; all of them come as CSV from the API."""

    model = BatchProblem
    fields = ("line", "code", "column", "detail")
    readonly_fields = fields
    ordering = ("line", "id")
    extra = 0
    max_num = 100

    def get_queryset(self, request: HttpRequest) -> QuerySet[BatchProblem]:
        batch_id = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        rows = super().get_queryset(request)
        first = rows.filter(batch_id=batch_id).order_by("line", "id").values("id")[:100]
        return rows.filter(id__in=first)


@admin.register(Batch)
class BatchAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("__str__", "project", "state", "format", "lines", "added", "duplicates", "rejected", "created_at")
    list_filter = ("state", "format", "created_at")
    search_fields = ("filename", "=id", "=project__id", "project__title")
    list_select_related = ("project",)
    ordering = ("-id",)
    inlines = (BatchProblemInline,)


@admin.register(Task)
class TaskAdmin(ReadOnly, admin.ModelAdmin):
    """Found by a task's id or its project's; a table of millions is not listed in any other way."""

    list_display = ("id", "project", "position", "key")
    search_fields = ("id",)
    search_help_text = "The id of a task, or of a project for all of its tasks."
    list_select_related = ("project",)
    ordering = ("project_id", "position")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Task], search_term: str
    ) -> tuple[QuerySet[Task], bool]:
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return queryset.none(), False
        # An id is looked up as it is: the stock search would compare it as text, past every index.
        if queryset.filter(id=wanted).exists():
            return queryset.filter(id=wanted), False
        return queryset.filter(project_id=wanted), False
