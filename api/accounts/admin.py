"""Users and what they let in, for operators. Applications and tokens have the admin of django-oauth-toolkit."""

from contextlib import suppress

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from oauth2_provider.admin import ApplicationAdmin as StockApplicationAdmin
from oauth2_provider.models import DeviceGrant, Grant, IDToken

from api.accounts.models import Application, Authorisation, User

# Nothing is ever in these tables: their flows are not offered, and codes are authorisations.
for _unused in (DeviceGrant, Grant, IDToken):
    with suppress(admin.sites.NotRegistered):
        admin.site.unregister(_unused)
admin.site.unregister(Application)


@admin.register(Application)
class ApplicationAdmin(StockApplicationAdmin):
    view_on_site = False
    list_select_related = ("user",)
    show_full_result_count = False


class NewUserForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class UserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class AddressInline(admin.TabularInline):
    model = EmailAddress
    extra = 0


@admin.register(User)
class UserAdmin(StockUserAdmin):
    form = UserForm
    add_form = NewUserForm
    list_display = ("email", "name", "joined_at", "last_login", "confirmed", "second_factor", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff", "is_superuser", ("closed_at", admin.EmptyFieldListFilter), "joined_at")
    search_fields = ("email", "name", "=id")
    ordering = ("-joined_at",)
    date_hierarchy = "joined_at"
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = ("id", "joined_at", "last_login", "closed_at")
    filter_horizontal = ("groups", "user_permissions")
    inlines = (AddressInline,)
    fieldsets = (
        (None, {"fields": ("id", "email", "password")}),
        ("Profile", {"fields": ("name", "locale", "timezone", "theme", "uses")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("joined_at", "last_login", "closed_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        confirmed = EmailAddress.objects.filter(user_id=OuterRef("pk"), email=OuterRef("email"), verified=True)
        factors = Authenticator.objects.filter(user_id=OuterRef("pk")).exclude(type="recovery_codes")
        return super().get_queryset(request).annotate(is_confirmed=Exists(confirmed), has_second_factor=Exists(factors))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Rights are a superuser's to give; or whoever may edit users could give themselves all of them."""
        rights = () if request.user.is_superuser else ("is_staff", "is_superuser", "groups", "user_permissions")
        return (*self.readonly_fields, *rights)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Operators, whose password and address are as good as their rights, are changed by superusers alone."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (request.user.is_superuser or obj is None or not (obj.is_staff or obj.is_superuser))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Accounts are closed, not deleted: their work and money stay under their id."""
        return False

    @admin.display(boolean=True, description="confirmed")
    def confirmed(self, user: User) -> bool:
        return bool(user.is_confirmed)

    @admin.display(boolean=True, description="second factor")
    def second_factor(self, user: User) -> bool:
        return bool(user.has_second_factor)


@admin.register(Authorisation)
class AuthorisationAdmin(admin.ModelAdmin):
    list_display = ("application", "user", "scopes", "exchanged_at", "last_used_at", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "application__skip_authorization")
    list_select_related = ("application", "user")
    search_fields = ("user__email", "application__name", "application__client_id")
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("id", "user", "application", "scopes", "redirect_uri", "exchanged_at", "last_used_at", "ended_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Authorisation | None = None) -> bool:
        return False
