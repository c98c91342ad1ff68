"""Collectives and their members for operators."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from api.collectives.models import HALL_ID, Collective, Membership


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    raw_id_fields = ("user",)
    readonly_fields = ("since",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Collective)
class CollectiveAdmin(admin.ModelAdmin):
    list_display = ("name", "kind", "members", "created_at", "closed_at")
    list_filter = ("kind", "created_at")
    search_fields = ("name", "=id", "memberships__user__email")
    readonly_fields = ("id", "kind", "created_at")
    inlines = (MembershipInline,)
    ordering = ("-id",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collective]:
        current = Count("memberships", filter=Q(memberships__until=None))
        return super().get_queryset(request).annotate(member_count=current)

    @admin.display(description="members", ordering="member_count")
    def members(self, collective: Any) -> int:
        return int(collective.member_count)

    def has_delete_permission(self, request: HttpRequest, obj: Collective | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Collective | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.id != HALL_ID)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ("user", "collective", "role", "since", "until")
    list_filter = ("role", "since")
    search_fields = ("user__email", "user__name", "collective__name")
    list_select_related = ("user", "collective")
    raw_id_fields = ("user", "collective")
    readonly_fields = ("since",)
    ordering = ("-id",)
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return False
