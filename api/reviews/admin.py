"""How projects' answers were decided, for operators: whose rejections have stopped, and who is near."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import F, FloatField, QuerySet
from django.db.models.functions import Cast, NullIf
from django.http import HttpRequest

from api.core.admin import ReadOnly
from api.reviews.models import ReviewTally
from api.reviews.services.tally import is_halted


class HaltedFilter(admin.SimpleListFilter):
    title = "rejecting"
    parameter_name = "halted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "has stopped"), ("no", "goes on")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ReviewTally]) -> QuerySet[ReviewTally]:
        halted = {"rejected__gte": settings.REJECTION_LIMIT_COUNT, "share__gt": settings.REJECTION_LIMIT_SHARE}
        if self.value() == "yes":
            return queryset.filter(**halted)
        return queryset.exclude(**halted) if self.value() == "no" else queryset


@admin.register(ReviewTally)
class ReviewTallyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("project", "collective", "accepted", "rejected", "share", "halted")
    list_filter = (HaltedFilter,)
    list_select_related = ("project__collective",)
    search_fields = ("project__title", "project__collective__name")
    search_help_text = "A project's title or its collective's name"
    ordering = ("-project_id",)
    fields = readonly_fields = ("project", "collective", "accepted", "rejected", "share", "halted")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewTally]:
        decided = NullIf(F("accepted") + F("rejected"), 0)
        share = Cast("rejected", FloatField()) / Cast(decided, FloatField())
        return super().get_queryset(request).select_related("project__collective").annotate(share=share)

    @admin.display(ordering="project__collective__name")
    def collective(self, tally: ReviewTally) -> str:
        return tally.project.collective.name

    @admin.display(description="rejected of all decided", ordering="share")
    def share(self, tally: Any) -> str:
        return "" if tally.share is None else f"{tally.share:.1%}"

    @admin.display(boolean=True, description="rejecting has stopped")
    def halted(self, tally: ReviewTally) -> bool:
        return is_halted(tally)
