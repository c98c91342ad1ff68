"""Where allauth asks us: saving a new user, signing out, changing a password, telling without a mail server."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from api.accounts.models import User
from api.accounts.services import authorisations, sessions

_USES = {"work": ["work"], "request": ["request"], "both": ["work", "request"]}


def has_no_mail_server() -> bool:
    """Whether messages become files, so that a local page must say what was in one."""
    return settings.LOCAL and not settings.EMAIL_URL


def shown_name(user: User) -> str:
    return user.shown_name


class AccountAdapter(DefaultAccountAdapter):
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.name = form.cleaned_data.get("name", "")
        user.uses = _USES[form.cleaned_data.get("wants", "work")]
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit)
        return saved

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Without a mail server, the browser that asked for the message is shown its link; no other is."""
        super().send_confirmation_mail(request, emailconfirmation, signup)
        if has_no_mail_server():
            request.session["local_message"] = {
                "email": emailconfirmation.email_address.email,
                "url": self.get_email_confirmation_url(request, emailconfirmation),
            }

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        request.session.pop("local_message", None)
        confirmed: bool = super().confirm_email(request, email_address)
        return confirmed

    def logout(self, request: HttpRequest) -> None:
        """Signing out of a browser ends the tokens that our own client got there."""
        ids = UserSession.objects.filter(session_key=request.session.session_key).values_list("id", flat=True)
        authorisations.end_of_sessions(session_ids=list(ids))
        super().logout(request)

    def set_password(self, user: User, password: str) -> None:
        """A new password shuts out whoever had the old one: other browsers, and our own client's tokens."""
        request = context.request
        current = request.session.session_key if request and request.user == user else None
        with transaction.atomic():
            super().set_password(user, password)
            authorisations.end_all(user=user, first_party_only=True)
            sessions.end_all(user=user, but=current)

    def is_safe_url(self, url: str | None) -> bool:
        """The client may have an origin of its own to come back to."""
        if url and any(url == origin or url.startswith(f"{origin}/") for origin in settings.CORS_ALLOWED_ORIGINS):
            return True
        return bool(super().is_safe_url(url))


class SessionsAdapter(DefaultUserSessionsAdapter):
    def end_sessions(self, ended: Any) -> None:
        sessions.end(sessions=ended)
