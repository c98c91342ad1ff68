"""The pages people sign up and sign in on, through Django's own client."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.utils import timezone

from api.accounts.models import Application, Authorisation, User
from api.accounts.services import sessions
from tests import factories
from tests.accounts.conftest import asked, call, code_for, exchange, me, refresh

SIGN_UP = {"email": "Cleo@Example.org", "name": "Cleo", "password1": "never on a monday", "wants": "both"}


def prove_again(browser: Client) -> None:
    """What allauth asks before it changes how one signs in."""
    assert browser.post("/accounts/reauthenticate/", {"password": "a long way down"}).status_code == 302


def link_in(message: Any, part: str) -> str:
    found = re.search(rf"https?://\S+{part}\S+", message.body)
    assert found, message.body
    return urlsplit(found[0]).path


class TestSignUp:
    def test_a_new_user_confirms_and_comes_to_where_they_were_going(
        self, client: Client, public_app: Application
    ) -> None:
        address = asked(public_app)
        page = client.get("/accounts/signup/", {"next": address})
        assert page.context["redirect_field_value"] == address
        assert f"/accounts/login/?next={address[:6].replace('/', '%2F')}" in page.content.decode()
        sent = client.post("/accounts/signup/", SIGN_UP | {"next": address})
        assert sent["Location"] == "/accounts/confirm-email/"
        user = User.objects.get(email="cleo@example.org")
        assert (user.name, user.uses) == ("Cleo", ["work", "request"])
        assert client.get(address).status_code == 302, "not signed in before the address is confirmed"
        (message,) = mail.outbox
        assert message.to == ["cleo@example.org"]
        link = link_in(message, "confirm-email")
        assert client.get(link).status_code == 200
        assert not EmailAddress.objects.get(user=user).verified, "looking is not confirming: mail scanners look"
        assert client.post(link)["Location"] == address
        assert EmailAddress.objects.get(user=user).verified
        assert client.get(address).status_code == 200

    @pytest.mark.parametrize(("wants", "uses"), [("work", ["work"]), ("request", ["request"])])
    def test_what_one_came_for_sets_the_navigation(self, client: Client, wants: str, uses: list[str]) -> None:
        client.post("/accounts/signup/", SIGN_UP | {"wants": wants})
        assert User.objects.get().uses == uses

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "a\u202eb"}, "name"),
            ({"name": "a" * 81}, "name"),
            ({"name": "a\x00b"}, "name"),
            ({"email": "nobody"}, "email"),
            ({"email": "a\x00@example.org"}, "email"),
            ({"password1": "short"}, "password1"),
            ({"password1": "password123"}, "password1"),
            ({"wants": "everything"}, "wants"),
            ({"wants": ""}, "wants"),
        ],
    )
    def test_what_is_wrong_is_said_beside_its_field(self, client: Client, changes: dict[str, str], field: str) -> None:
        page = client.post("/accounts/signup/", SIGN_UP | changes)
        assert page.status_code == 200
        assert field in page.context["form"].errors
        assert 'class="errorlist"' in page.content.decode()
        assert not User.objects.exists()

    def test_an_address_in_use_is_not_given_away(self, client: Client, ana: User) -> None:
        sent = client.post("/accounts/signup/", SIGN_UP | {"email": ana.email.upper()})
        assert sent["Location"] == "/accounts/confirm-email/"
        assert User.objects.count() == 1
        assert "confirm-email" not in mail.outbox[0].body
        assert "Open the message here" not in client.get("/accounts/confirm-email/").content.decode()

    def test_without_a_mail_server_the_same_browser_is_shown_the_message(self, client: Client) -> None:
        client.post("/accounts/signup/", SIGN_UP)
        page = client.get("/accounts/confirm-email/").content.decode()
        assert "no mail server" in page
        assert link_in(mail.outbox[0], "confirm-email") in page
        assert "no mail server" not in Client().get("/accounts/confirm-email/").content.decode()
        client.post(link_in(mail.outbox[0], "confirm-email"))
        assert "local_message" not in client.session

    @pytest.mark.parametrize("changes", [{"LOCAL": False}, {"EMAIL_URL": "smtp.example.org"}])
    def test_with_a_mail_server_or_in_production_it_is_not(
        self, client: Client, settings: Any, changes: dict[str, Any]
    ) -> None:
        for name, value in changes.items():
            setattr(settings, name, value)
        client.post("/accounts/signup/", SIGN_UP)
        page = client.get("/accounts/confirm-email/").content.decode()
        assert "no mail server" not in page
        assert "local_message" not in client.session

    def test_a_link_from_nowhere_says_so(self, client: Client) -> None:
        page = client.get("/accounts/confirm-email/nonsense/")
        assert page.status_code == 200
        assert "too old, or is incomplete" in page.content.decode()


class TestSignIn:
    def test_a_wrong_password_and_an_unknown_address_sound_the_same(self, client: Client, ana: User) -> None:
        answers = {
            client.post("/accounts/login/", {"login": login, "password": "wrong"}).context["form"].errors.as_text()
            for login in (ana.email, "nobody@example.org")
        }
        assert len(answers) == 1

    def test_guessing_is_stopped(self, client: Client, ana: User) -> None:
        for _ in range(5):
            client.post("/accounts/login/", {"login": ana.email, "password": "wrong"})
        page = client.post("/accounts/login/", {"login": ana.email, "password": "a long way down"})
        assert page.status_code == 200
        assert "too many" in page.context["form"].errors.as_text().lower()

    @pytest.mark.parametrize(
        "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", "http:evil"]
    )
    def test_it_never_leads_to_another_site(self, client: Client, ana: User, target: str) -> None:
        fields = {"login": ana.email, "password": "a long way down", "next": target}
        assert client.post("/accounts/login/", fields)["Location"] == "/"

    def test_it_may_lead_to_a_client_on_another_origin(self, client: Client, ana: User, settings: Any) -> None:
        settings.CORS_ALLOWED_ORIGINS = ["https://client.example.org"]
        for target, place in (
            ("https://client.example.org/feed", "https://client.example.org/feed"),
            ("https://client.example.org.evil.example/", "/"),
        ):
            fields = {"login": ana.email, "password": "a long way down", "next": target}
            assert Client().post("/accounts/login/", fields)["Location"] == place

    def test_a_closed_account_cannot(self, client: Client, ana: User) -> None:
        User.objects.filter(pk=ana.pk).update(is_active=False)
        client.post("/accounts/login/", {"login": ana.email, "password": "a long way down"})
        assert "_auth_user_id" not in client.session

    def test_a_code_from_an_app_is_asked_for(self, browser: Client, ana: User) -> None:
        prove_again(browser)
        secret = browser.get("/accounts/2fa/totp/activate/").context["form"].secret
        code = totp.format_hotp_value(totp.hotp_value(secret, int(timezone.now().timestamp()) // 30))
        assert browser.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302
        other = Client()
        fields = {"login": ana.email, "password": "a long way down"}
        assert other.post("/accounts/login/", fields)["Location"] == "/accounts/2fa/authenticate/"
        assert "_auth_user_id" not in other.session
        assert other.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
        recovery = Authenticator.objects.get(user=ana, type="recovery_codes").wrap().get_unused_codes()[0]
        assert other.post("/accounts/2fa/authenticate/", {"code": recovery}).status_code == 302
        assert other.session["_auth_user_id"] == str(ana.pk)

    def test_a_passkey_can_be_asked_for(self, client: Client, db: None) -> None:
        options = client.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).json()
        assert options["request_options"]["publicKey"]["challenge"]
        assert client.post("/accounts/2fa/webauthn/login/", {"credential": "{}"}).status_code in {200, 302}


class TestSignOut:
    def test_it_ends_the_tokens_of_our_own_client_in_this_browser(
        self, browser: Client, web_app: Application, public_app: Application
    ) -> None:
        from django.conf import settings

        uri = f"{settings.PUBLIC_URL}/signed-in"
        response = browser.get(asked(web_app, redirect_uri=uri))
        code = re.search(r"code=([^&]+)", response["Location"])
        assert code
        own = exchange(web_app, code[1], redirect_uri=uri).json()
        third = exchange(public_app, code_for(browser, public_app)).json()
        browser.post("/accounts/logout/")
        assert me(own["access_token"]).status_code == 401
        assert refresh(web_app, own["refresh_token"]).status_code == 400
        assert me(third["access_token"]).status_code == 200

    def test_our_own_client_signs_out_at_once_and_another_site_is_asked(self, browser: Client) -> None:
        page = browser.get("/accounts/logout/", headers={"Sec-Fetch-Site": "cross-site"})
        assert page.status_code == 200
        assert "_auth_user_id" in browser.session
        browser.get("/accounts/logout/", headers={"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"})
        assert "_auth_user_id" not in browser.session

    @pytest.mark.parametrize(
        ("asked", "place"),
        [
            ("https://client.example.org/", "https://client.example.org/"),
            ("https://client.example.org.evil.example/", "/"),
            ("https://client.example.org@evil.example/", "/"),
            ("http://client.example.org/", "/"),
            ("https://client.example.org:8443/", "/"),
            ("https://evil.example/", "/"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("javascript:alert(1)", "/"),
        ],
    )
    def test_it_leads_back_to_a_client_that_the_operator_named_and_to_no_other_site(
        self, browser: Client, settings: Any, asked: str, place: str
    ) -> None:
        settings.CORS_ALLOWED_ORIGINS = ["https://client.example.org"]
        page = browser.get("/accounts/logout/", {"next": asked}, headers={"Sec-Fetch-Site": "cross-site"})
        carried = re.search(r'name="next" value="([^"]*)"', page.content.decode())
        assert carried
        assert browser.post("/accounts/logout/", {"next": carried[1]})["Location"] == place
        assert "_auth_user_id" not in browser.session
        assert browser.get("/accounts/logout/", {"next": asked})["Location"] == place

    @pytest.mark.parametrize("place", ["image", "iframe", "video", "empty"])
    def test_a_picture_in_a_task_signs_nobody_out(self, browser: Client, place: str) -> None:
        browser.get("/accounts/logout/", headers={"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": place})
        assert "_auth_user_id" in browser.session

    def test_all_other_browsers_can_be_signed_out(self, browser: Client, ana: User) -> None:
        other = Client()
        other.post("/accounts/login/", {"login": ana.email, "password": "a long way down"})
        assert UserSession.objects.count() == 2
        assert "Sign out all others" in browser.get("/accounts/sessions/").content.decode()
        browser.post("/accounts/sessions/")
        assert browser.get("/accounts/email/").status_code == 200
        assert other.get("/accounts/email/").status_code == 302


class TestPassword:
    def test_a_reset_by_mail_shuts_everybody_else_out(
        self, client: Client, browser: Client, ana: User, web_app: Application
    ) -> None:
        from django.conf import settings

        uri = f"{settings.PUBLIC_URL}/signed-in"
        code = re.search(r"code=([^&]+)", browser.get(asked(web_app, redirect_uri=uri))["Location"])
        assert code
        token = exchange(web_app, code[1], redirect_uri=uri).json()["access_token"]
        client.post("/accounts/password/reset/", {"email": ana.email})
        link = link_in(mail.outbox[-1], "password/reset/key")
        form = client.get(link)["Location"]
        client.post(form, {"password1": "an even longer way", "password2": "an even longer way"})
        assert me(token).status_code == 401
        assert browser.get("/accounts/email/").status_code == 302
        fields = {"login": ana.email, "password": "an even longer way"}
        assert Client().post("/accounts/login/", fields)["Location"] == "/"

    def test_a_change_keeps_this_browser_and_ends_the_others(self, browser: Client, ana: User) -> None:
        other = Client()
        other.post("/accounts/login/", {"login": ana.email, "password": "a long way down"})
        fields = {
            "oldpassword": "a long way down",
            "password1": "an even longer way",
            "password2": "an even longer way",
        }
        assert browser.post("/accounts/password/change/", fields).status_code == 302
        assert browser.get("/accounts/email/").status_code == 200
        assert other.get("/accounts/email/").status_code == 302
        assert Session.objects.count() == 1

    def test_the_reset_page_does_not_tell_who_has_an_account(self, client: Client, ana: User) -> None:
        for email in (ana.email, "nobody@example.org"):
            response = client.post("/accounts/password/reset/", {"email": email})
            assert response["Location"] == "/accounts/password/reset/done/"
        assert "Whoever runs it finds the message" in client.get("/accounts/password/reset/done/").content.decode()


class _Inline(HTMLParser):
    """Collects what a strict Content-Security-Policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        if tag == "style":
            self.found.append("style")
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.found.append("script")


PAGES = [
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/x/",
    "/accounts/inactive/",
]
OWN_PAGES = [
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/totp/deactivate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/2fa/recovery-codes/",
    "/accounts/2fa/recovery-codes/generate/",
    "/accounts/sessions/",
    "/accounts/logout/",
    "/accounts/reauthenticate/",
]


@pytest.mark.parametrize("path", [*PAGES, *OWN_PAGES])
def test_every_page_is_ours_and_keeps_to_the_policy(path: str, client: Client, browser: Client, ana: User) -> None:
    if path in OWN_PAGES:
        client = browser
        prove_again(browser)
        if "totp/deactivate" in path:
            totp.TOTP.activate(ana, totp.generate_totp_secret())
        if "recovery-codes" in path:
            totp.TOTP.activate(ana, totp.generate_totp_secret())
            if path.endswith("recovery-codes/"):
                RecoveryCodes.activate(ana)
    page = client.get(path)
    assert page.status_code == 200, page.get("Location")
    assert "accounts/pages.css" in page.content.decode()
    looked = _Inline()
    looked.feed(page.content.decode())
    assert looked.found == []
    assert "script-src 'self';" in page["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]


def test_a_change_of_address_waits_for_its_confirmation(browser: Client, ana: User) -> None:
    before = ana.email
    assert browser.post("/accounts/email/", {"email": "new@example.org", "action_add": ""}).status_code == 302
    assert not EmailAddress.objects.filter(email="new@example.org").exists(), "the password is asked for first"
    prove_again(browser)
    browser.post("/accounts/email/", {"email": "new@example.org", "action_add": ""})
    ana.refresh_from_db()
    assert ana.email == before
    page = browser.get("/accounts/email/").content.decode()
    assert "waits to be confirmed" in page
    browser.post(link_in(mail.outbox[-1], "confirm-email"))
    ana.refresh_from_db()
    assert ana.email == "new@example.org"
    assert [address.email for address in EmailAddress.objects.filter(user=ana)] == ["new@example.org"]


def test_sessions_are_told_apart_on_tokens(
    browser: Client, ana: User, public_app: Application, make_user: Callable[..., User]
) -> None:
    exchange(public_app, code_for(browser, public_app))
    authorisation = Authorisation.objects.get()
    assert authorisation.session is not None
    assert authorisation.session.user == ana
    assert authorisation.session.session_key == browser.session.session_key
    assert call("token", "").status_code == 400


def test_sessions_that_ran_out_are_forgotten(browser: Client, ana: User) -> None:
    other = Client()
    other.post("/accounts/login/", {"login": ana.email, "password": "a long way down"})
    Session.objects.filter(session_key=other.session.session_key).update(expire_date=timezone.now())
    assert sessions.forget_old() == 1
    assert sessions.forget_old() == 0
    assert UserSession.objects.get().session_key == browser.session.session_key


class TestOperators:
    def test_they_sign_in_where_everybody_does(self, client: Client, ana: User) -> None:
        """The admin's own form would ask for no second factor, and count no failures."""
        User.objects.filter(pk=ana.pk).update(is_staff=True, is_superuser=True)
        totp.TOTP.activate(ana, totp.generate_totp_secret())
        given = {"username": ana.email, "password": "a long way down", "next": "/admin/"}
        answer = client.post("/admin/login/?next=/admin/", given)
        assert "_auth_user_id" not in client.session
        assert answer["Location"] == "/accounts/login/?next=%2Fadmin%2F"
        given = {"login": ana.email, "password": "a long way down"}
        assert client.post(answer["Location"], given)["Location"].startswith("/accounts/2fa/authenticate/")
        assert client.get("/admin/").status_code == 302

    def test_who_was_made_at_the_console_needs_no_mail_to_sign_in(self, client: Client) -> None:
        User.objects.create_superuser("Op@Example.org", "a long way down")
        given = {"login": "op@example.org", "password": "a long way down"}
        assert client.post("/accounts/login/?next=/admin/", given)["Location"] == "/admin/"
        assert client.get("/admin/").status_code == 200


def test_who_may_edit_users_cannot_make_themselves_or_become_more(client: Client, ana: User) -> None:
    clerk, chief = (factories.make_user(name, is_staff=True) for name in ("Clerk", "Chief"))
    User.objects.filter(pk=chief.pk).update(is_superuser=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "add_user"]))
    client.force_login(clerk)
    form = {
        "email": ana.email, "name": "Anna", "locale": "en", "timezone": "UTC", "theme": "system", "is_active": "on",
        "is_staff": "on", "is_superuser": "on",
        "emailaddress_set-TOTAL_FORMS": "0", "emailaddress_set-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert client.post(f"/admin/accounts/user/{ana.pk}/change/", form).status_code == 302
    ana.refresh_from_db()
    assert (ana.name, ana.is_staff, ana.is_superuser) == ("Anna", False, False)
    assert client.get(f"/admin/accounts/user/{ana.pk}/password/").status_code == 200
    for user in (chief, clerk):
        assert client.post(f"/admin/accounts/user/{user.pk}/change/", form).status_code == 403
        passwords = {"password1": "another long one", "password2": "another long one"}
        assert client.post(f"/admin/accounts/user/{user.pk}/password/", passwords).status_code == 403
