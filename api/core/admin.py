"""What admin pages of big tables share, and idempotency keys for operators to look up."""

from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django_tasks_db.models import DBTaskResult

from api.core import queue
from api.core.idempotency import digest_of
from api.core.models import IdempotencyKey, Job


class NewestPages(Paginator):
    """Pages over the first rows of a list only, so that opening it costs the same however long the table is."""

    MOST = 5_000

    @cached_property
    def count(self) -> int:
        return self.object_list[: self.MOST].count()


class ReadOnly:
    """Looking only: no adding, changing or deleting."""

    paginator = NewestPages
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def id_in(text: str) -> UUID | None:
    """The id that an operator pasted, or None.

    Ids are looked up as they are: the stock search would compare them as text, past every index.
    """
    try:
        return UUID(text.strip())
    except ValueError:
        return None


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Whether a request arrived, and what it was answered. Keys are kept for 24 hours, as digests."""

    list_display = ("created_at", "status", "answer", "digest_hex")
    list_display_links = None
    actions = None
    search_fields = ("digest",)
    search_help_text = (
        "A user's id, the id of the application they used, and the Idempotency-Key it sent, with spaces between."
        " Without all three the list is empty."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[IdempotencyKey], search_term: str
    ) -> tuple[QuerySet[IdempotencyKey], bool]:
        user, application, key = [*search_term.split(), "", "", ""][:3]
        user_id, application_id = id_in(user), id_in(application)
        if user_id is None or application_id is None:
            return queryset.none(), False
        return queryset.filter(digest=digest_of(user_id, application_id, key)), False

    @admin.display(description="answer")
    def answer(self, row: IdempotencyKey) -> str:
        if row.sealed:
            return "(secret)"
        return bytes(row.body or b"")[:500].decode(errors="replace")

    @admin.display(description="digest")
    def digest_hex(self, row: IdempotencyKey) -> str:
        return bytes(row.digest).hex()


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Background work. What is parked stays until somebody lets it begin anew or gives it up."""

    list_display = ("__str__", "status", "attempt", "enqueued_at", "run_after", "finished_at", "exception_class_path")
    list_filter = ("status",)
    ordering = ("-enqueued_at",)
    fields = ("task_path", "status", "attempt", "arguments", "enqueued_at", "run_after", "started_at", "finished_at")
    fields = readonly_fields = (*fields, "worker_ids", "exception_class_path", "trace")
    search_fields = ("task_path",)
    search_help_text = "The name of the job, or its id."
    actions = ("begin_anew", "give_up")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_job")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        if (identifier := id_in(search_term)) is not None:
            return queryset.filter(id=identifier), False
        return super().get_search_results(request, queryset, search_term)

    @admin.action(permissions=["decide"], description="Begin anew, if parked")
    def begin_anew(self, request: HttpRequest, rows: QuerySet[Job]) -> None:
        self.message_user(request, f"{queue.try_again(rows)} will be tried again now.", messages.SUCCESS)

    @admin.action(permissions=["decide"], description="Give up, if parked: it is never done")
    def give_up(self, request: HttpRequest, rows: QuerySet[Job]) -> None:
        with transaction.atomic():
            parked = list(queue.parked(rows).select_for_update())
            self.log_deletions(request, parked)  # type: ignore[arg-type]
            Job.objects.filter(id__in=[each.id for each in parked]).delete()
        self.message_user(request, f"{len(parked)} given up.", messages.SUCCESS)

    @admin.display(description="attempts so far")
    def attempt(self, row: Job) -> int:
        return row.attempt

    @admin.display(description="arguments")
    def arguments(self, row: Job) -> str:
        given = row.args_kwargs
        return ", ".join([*map(repr, given["args"]), *(f"{name}={value!r}" for name, value in given["kwargs"].items())])

    @admin.display(description="trace")
    def trace(self, row: Job) -> str:
        return format_html("<pre>{}</pre>", row.traceback) if row.traceback else "-"


# The package's own page of the same rows, which can only look.
admin.site.unregister(DBTaskResult)
