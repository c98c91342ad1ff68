"""Reported messages, for operators. What nobody has reported they have no business to read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from api.core.admin import ReadOnly
from api.messaging import services
from api.messaging.models import Report


@admin.register(Report)
class ReportAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("at", "state", "category", "text", "author", "reason")
    list_filter = ("state", "category", "at")
    list_select_related = ("message__author", "message__thread", "reporter")
    search_fields = ("=message__id", "=message__thread__id", "message__author__email", "reporter__email")
    fields = readonly_fields = (
        *("at", "state", "category", "reason", "reporter", "thread", "author", "text", "links", "hidden_at"),
        *("handled_at", "handled_by"),
    )
    actions = ("hide", "show", "dismiss")
    ordering = ("-id",)
    show_full_result_count = False

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        """Reading reports is one right, deciding about them another."""
        return request.user.has_perm("messaging.change_report")

    @admin.display(description="message")
    def text(self, report: Report) -> str:
        return report.message.body

    @admin.display(description="written by")
    def author(self, report: Report) -> str:
        return f"{report.message.author.email} ({report.message.side})"

    @admin.display
    def thread(self, report: Report) -> str:
        return f"{report.message.thread.title} ({report.message.thread_id})"

    @admin.display
    def links(self, report: Report) -> str:
        return "\n".join(link["url"] for link in report.message.links)

    @admin.display
    def hidden_at(self, report: Report) -> str:
        return str(report.message.hidden_at or "")

    @admin.action(description="Hide the message", permissions=["moderate"])
    def hide(self, request: HttpRequest, reports: QuerySet[Report]) -> None:
        for message_id in set(reports.values_list("message_id", flat=True)):
            services.hide_message(message_id=message_id, by=request.user)  # type: ignore[arg-type]

    @admin.action(description="Show the message again", permissions=["moderate"])
    def show(self, request: HttpRequest, reports: QuerySet[Report]) -> None:
        for message_id in set(reports.values_list("message_id", flat=True)):
            services.show_message(message_id=message_id, by=request.user)  # type: ignore[arg-type]

    @admin.action(description="Dismiss: nothing wrong with it", permissions=["moderate"])
    def dismiss(self, request: HttpRequest, reports: QuerySet[Report]) -> None:
        services.dismiss_reports(report_ids=list(reports.values_list("id", flat=True)), by=request.user)  # type: ignore[arg-type]
