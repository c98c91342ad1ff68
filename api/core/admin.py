"""What admin pages of big tables share, and idempotency keys for operators to look up."""

from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from api.core.idempotency import digest_of
from api.core.models import IdempotencyKey


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
