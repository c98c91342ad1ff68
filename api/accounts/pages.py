"""The pages at `/accounts/`: allauth's, with the few that are ours in their place."""

import sys
from typing import Any

from allauth.account.views import LogoutView, PasswordResetDoneView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import include, path

from api.accounts.adapter import has_no_mail_server
from api.core import problems, trouble


class SignOutView(LogoutView):
    """Signs out at once when our own client leads here; asks first when another site does.

    A picture or a frame with this address, which a requester may put into a task, signs nobody out.
    """

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        headers = self.request.headers
        if headers.get("Sec-Fetch-Site") == "same-origin" and headers.get("Sec-Fetch-Dest") == "document":
            return self.post(*args, **kwargs)
        return super().get(*args, **kwargs)


class ResetSentView(PasswordResetDoneView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        folder = settings.EMAIL_FILE_PATH if has_no_mail_server() else None
        return {**super().get_context_data(**kwargs), "mail_folder": folder}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    page = {"reason": "This form could not be accepted."}
    return render(request, "account/csrf_failure.html", page, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """No such address: a page for people, a problem document for programs."""
    return _page("404.html", 404) if _wants_page(request) else problems.not_found(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """What failed is still being handled; a database that cannot answer for a moment is no error of ours."""
    failure = sys.exc_info()[1]
    if failure is not None and trouble.is_passing(failure):
        answer = problems.unavailable(failure, is_safe=request.method in ("GET", "HEAD"))
        if not _wants_page(request):
            return answer
        page = _page("503.html", 503)
        page["Retry-After"] = answer["Retry-After"]
        return page
    return _page("500.html", 500) if _wants_page(request) else problems.server_error(request)


def _wants_page(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")


def _page(template: str, status: int) -> HttpResponse:
    # Without the request: its session or its database may be what has failed.
    return HttpResponse(render_to_string(template), status=status)


urlpatterns = [
    path("logout/", SignOutView.as_view(), name="account_logout"),
    path("password/reset/done/", ResetSentView.as_view(), name="account_reset_password_done"),
    path("", include("allauth.urls")),
]
