"""Every route. A domain brings its own in `urls.py`; what the domains do not know of stands here."""

from importlib import import_module
from importlib.util import find_spec

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from api.core import docs
from api.core.health import healthz, readyz
from config import client
from config.domains import DOMAINS

# Patterns are tried in turn, so the domain that is called most often comes first.
_BUSIEST = "work"
_api: list[URLPattern | URLResolver] = []
for _domain in sorted(DOMAINS, key=lambda name: name != _BUSIEST):
    if find_spec(f"api.{_domain}.urls"):
        _api += import_module(f"api.{_domain}.urls").urlpatterns

# Operators sign in where everybody does: the admin's own form knows neither the second factor nor the limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("api/v1/", include(_api)),
    path("api/docs", docs.page),
    path("healthz", healthz),
    path("readyz", readyz),
    path("", include("api.accounts.oauth.urls")),
    path("accounts/", include("api.accounts.pages")),
    path("admin/", admin.site.urls),
    # Last: every address that nothing on the server answers to is the client's.
    re_path(r"^(?!(?:api|oauth|accounts|admin|static|assets|ws|\.well-known)(?:/|$)).*$", client.page),
]

handler400 = "api.core.problems.bad_request"
handler404 = "api.accounts.pages.not_found"
handler500 = "api.accounts.pages.server_error"
