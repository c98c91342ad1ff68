"""What users call about themselves."""

import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from api.accounts import closing, exports
from api.accounts.models import Application, Authorisation, User
from api.accounts.services import applications
from api.accounts.services.applications import redirect_uri_problem
from api.collectives.models import Collective
from api.core.errors import Conflict
from api.core.models import IdempotencyKey
from bench import auth
from tests.accounts.conftest import asked, code_for, exchange, me

API = Callable[..., Any]


class TestMe:
    def test_it_tells_who_i_am(self, api: API, ana: User) -> None:
        totp.TOTP.activate(ana, totp.generate_totp_secret())
        told = api(ana, ["account:read"]).get("/api/v1/me").json()
        assert told["email"] == ana.email
        assert told["email_verified"] is True
        assert told["is_operator"] is False
        assert told["mfa"] == {"totp": True, "passkeys": 0, "recovery_codes_left": 0}
        assert told["solo_collective"] == told["id"] == str(ana.pk)
        assert told["joined_at"].endswith("Z")
        assert set(told) == {
            *("id", "email", "name", "locale", "timezone", "theme", "uses", "email_verified", "is_operator"),
            *("mfa", "joined_at", "solo_collective"),
        }

    def test_it_costs_three_queries(self, api: API, ana: User, django_assert_num_queries: Any) -> None:
        client = api(ana)
        with django_assert_num_queries(3):
            client.get("/api/v1/me")

    def test_i_change_it(self, api: API, ana: User) -> None:
        changes = {
            "name": "Ana B.",
            "locale": "pt-BR",
            "timezone": "America/Sao_Paulo",
            "theme": "dark",
            "uses": ["request", "work"],
        }
        told = api(ana).patch("/api/v1/me", changes).json()
        assert {name: told[name] for name in changes} == changes | {"uses": ["work", "request"]}
        assert Collective.objects.get(pk=ana.pk).name == "Ana B."

    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({"name": "a" * 81}, "name", "max_length"),
            ({"timezone": "Mars/Olympus"}, "timezone", "invalid"),
            ({"locale": "../etc"}, "locale", "invalid"),
            ({"theme": "pink"}, "theme", "invalid_choice"),
            ({"uses": ["rule"]}, "uses.0", "invalid_choice"),
            ({"email": "other@example.org"}, "email", "unknown_field"),
            ({"is_operator": True}, "is_operator", "unknown_field"),
            ({"name": "a\u0000b"}, "name", "null_characters_not_allowed"),
        ],
    )
    def test_what_is_wrong_names_its_field(
        self, api: API, ana: User, body: dict[str, Any], field: str, code: str
    ) -> None:
        response = api(ana).patch("/api/v1/me", body)
        assert response.status_code == 400
        (error,) = response.json()["errors"]
        assert (error["field"], error["code"]) == (field, code)

    def test_a_token_and_its_scope_are_needed(self, api: API, ana: User) -> None:
        assert api().get("/api/v1/me").json()["code"] == "not_authenticated"
        assert api(ana, ["work:read"]).get("/api/v1/me").json()["code"] == "insufficient_scope"
        assert api(ana, ["account:read"]).patch("/api/v1/me", {}).json()["code"] == "insufficient_scope"


@pytest.fixture
def third_party(tokens: dict[str, Any], browser: Client, public_app: Application) -> Client:
    """The API as an application of somebody else calls it, with every right over the account it can be given."""
    code = code_for(browser, public_app, scope="account:read account:write")
    token = exchange(public_app, code).json()["access_token"]
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "me/export", None),
        ("post", "me/close", {"confirm": "x"}),
        ("delete", "me/sessions/1", None),
        ("delete", "me/applications/00000000-0000-7000-8000-000000000001", None),
        ("post", "applications", {"name": "Trojan", "client_type": "confidential"}),
        ("patch", "applications/00000000-0000-7000-8000-000000000001", {}),
        ("delete", "applications/00000000-0000-7000-8000-000000000001", None),
    ],
)
def test_another_application_cannot_widen_its_rights(
    third_party: Client, method: str, path: str, body: dict[str, Any] | None
) -> None:
    kwargs = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
    response = getattr(third_party, method)(f"/api/v1/{path}", **kwargs)
    assert (response.status_code, response.json()["code"]) == (403, "first_party_only")
    assert third_party.get("/api/v1/me").status_code == 200


class TestSessions:
    def test_i_see_mine_and_which_one_this_is(self, browser: Client, web_app: Application, ana: User) -> None:
        Client(headers={"User-Agent": "Other"}).post(
            "/accounts/login/", {"login": ana.email, "password": "a long way down"}
        )
        uri = f"{settings.PUBLIC_URL}/signed-in"
        address = asked(web_app, redirect_uri=uri, scope="account:read account:write")
        code = re.search(r"code=([^&]+)", browser.get(address)["Location"])
        assert code
        token = exchange(web_app, code[1], redirect_uri=uri).json()["access_token"]
        client = Client(headers={"Authorization": f"Bearer {token}"})
        rows = client.get("/api/v1/me/sessions").json()
        assert [row["current"] for row in rows] == [False, True]
        assert rows[0]["user_agent"] == "Other"
        assert rows[0]["ip"] == "127.0.0.1"
        assert client.delete(f"/api/v1/me/sessions/{rows[0]['id']}").status_code == 204
        assert len(client.get("/api/v1/me/sessions").json()) == 1
        assert client.delete(f"/api/v1/me/sessions/{rows[1]['id']}").status_code == 204
        assert me(token).status_code == 401
        assert browser.get("/accounts/email/").status_code == 302

    def test_others_sessions_are_not_there(self, api: API, browser: Client, make_user: API) -> None:
        session = UserSession.objects.get()
        stranger = api(make_user("Ben"))
        assert stranger.get("/api/v1/me/sessions").json() == []
        for number in (session.pk, 10**17, 10**18 - 1):
            assert stranger.delete(f"/api/v1/me/sessions/{number}").status_code == 404
        assert Session.objects.count() == 1

    def test_sessions_that_ran_out_are_not_shown(self, api: API, browser: Client, ana: User) -> None:
        Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
        assert api(ana).get("/api/v1/me/sessions").json() == []


class TestAuthorisedApplications:
    def test_i_see_whom_i_let_in_and_take_it_back(
        self, api: API, ana: User, tokens: dict[str, Any], browser: Client, public_app: Application
    ) -> None:
        code = code_for(browser, public_app, scope="ledger:read")
        second = exchange(public_app, code).json()
        client = api(ana)
        rows = {row["name"]: row for row in client.get("/api/v1/me/applications").json()}
        assert set(rows) == {"Pocket", "Tests"}
        assert rows["Pocket"]["scopes"] == ["account:read", "ledger:read", "work:read"]
        assert rows["Pocket"]["first_party"] is False
        assert rows["Pocket"]["authorised_at"] <= rows["Pocket"]["last_used_at"]
        path = f"/api/v1/me/applications/{rows['Pocket']['id']}"
        assert client.delete(path).status_code == 204
        assert client.delete(path).status_code == 404
        assert me(tokens["access_token"]).status_code == 401
        assert me(second["access_token"]).status_code == 401
        assert [row["name"] for row in client.get("/api/v1/me/applications").json()] == ["Tests"]

    def test_a_code_that_was_never_exchanged_lets_nobody_in(
        self, api: API, ana: User, browser: Client, public_app: Application
    ) -> None:
        code_for(browser, public_app)
        assert [row["name"] for row in api(ana).get("/api/v1/me/applications").json()] == ["Tests"]

    def test_a_token_made_for_a_script_is_seen_and_taken_back(self, api: API, ana: User) -> None:
        token = applications.create_token(user=ana, scopes=["account:read"], lasts=timedelta(days=90))
        client = api(ana)
        (row,) = [row for row in client.get("/api/v1/me/applications").json() if row["name"] == "Scripts"]
        assert client.delete(f"/api/v1/me/applications/{row['id']}").status_code == 204
        assert me(token).status_code == 401


class TestApplications:
    BODY = {"name": "Robot", "client_type": "confidential", "redirect_uris": ["https://robot.example.org/cb"]}

    def test_the_secret_is_told_once(self, api: API, ana: User) -> None:
        client = api(ana)
        made = client.post("/api/v1/applications", self.BODY)
        assert made.status_code == 201
        body = made.json()
        assert len(body.pop("client_secret")) >= 60
        assert body["grant_types"] == ["authorization_code"]
        assert client.get(f"/api/v1/applications/{body['id']}").json() == body
        assert client.get("/api/v1/applications").json() == [body]
        assert Application.objects.get(name="Robot").client_secret.startswith("guildhall_secret$")

    def test_the_secret_is_told_again_to_who_has_the_key_and_is_not_in_the_database(self, api: API, ana: User) -> None:
        key = {"Idempotency-Key": "make-me-a-robot"}
        made, again = (api(ana).post("/api/v1/applications", self.BODY, headers=key) for _ in range(2))
        assert (made.status_code, again["Idempotency-Replayed"]) == (201, "true")
        assert again.content == made.content
        kept = IdempotencyKey.objects.get()
        for part in (made.json()["client_secret"], made.json()["id"], key["Idempotency-Key"]):
            assert part.encode() not in bytes(kept.body) + bytes(kept.digest) + kept.headers.encode()

    def test_another_application_is_not_told_the_secret(self, api: API, ana: User) -> None:
        key = {"Idempotency-Key": "make-me-a-robot"}
        made = api(ana).post("/api/v1/applications", self.BODY, headers=key)
        assert made.status_code == 201
        foreign = api(ana, client_id="foreign", first_party=False)
        refused = foreign.post("/api/v1/applications", self.BODY, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (403, "first_party_only")

    def test_a_secret_that_can_no_longer_be_told_is_not_made_again(self, api: API, ana: User, settings: Any) -> None:
        key = {"Idempotency-Key": "make-me-a-robot"}
        client = api(ana)
        client.post("/api/v1/applications", self.BODY, headers=key)
        settings.SECRET_KEY = "another one"
        refused = client.post("/api/v1/applications", self.BODY, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert Application.objects.filter(name="Robot").count() == 1

    def test_a_public_one_has_none(self, api: API, ana: User) -> None:
        assert (
            "client_secret" not in api(ana).post("/api/v1/applications", self.BODY | {"client_type": "public"}).json()
        )

    def test_it_can_be_changed_and_deleted(self, api: API, ana: User) -> None:
        client = api(ana)
        path = "/api/v1/applications/" + client.post("/api/v1/applications", self.BODY).json()["id"]
        secret = Application.objects.get(name="Robot").client_secret
        changed = client.patch(
            path, {"grant_types": ["client_credentials"], "scopes": ["work:read"], "redirect_uris": []}
        )
        assert changed.status_code == 200, changed.content
        assert changed.json()["grant_types"] == ["client_credentials"]
        assert changed.json()["name"] == "Robot"
        assert Application.objects.get(name="Robot").client_secret == secret, "hashed once"
        assert client.patch(path, {"client_type": "public"}).status_code == 400
        assert client.delete(path).status_code == 204
        assert client.get(path).status_code == 404

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": ""}, "name"),
            ({"redirect_uris": []}, "redirect_uris"),
            ({"redirect_uris": ["http://robot.example.org/"]}, "redirect_uris.0"),
            ({"grant_types": []}, "grant_types"),
            ({"grant_types": ["password"]}, "grant_types.0"),
            ({"grant_types": ["client_credentials"]}, "scopes"),
            ({"grant_types": ["client_credentials"], "client_type": "public", "scopes": ["work:read"]}, "grant_types"),
            ({"scopes": ["everything"]}, "scopes.0"),
            ({"skip_authorization": True}, "skip_authorization"),
            ({"client_id": "guildhall-web"}, "client_id"),
        ],
    )
    def test_what_is_wrong_names_its_field(self, api: API, ana: User, changes: dict[str, Any], field: str) -> None:
        response = api(ana).post("/api/v1/applications", self.BODY | changes)
        assert response.status_code == 400
        assert [error["field"] for error in response.json()["errors"]] == [field]

    def test_others_applications_are_not_there(self, api: API, make_user: API, public_app: Application) -> None:
        stranger = api(make_user("Ben"))
        path = f"/api/v1/applications/{public_app.pk}"
        assert stranger.get(path).status_code == 404
        assert stranger.patch(path, {"name": "Mine"}).status_code == 404
        assert stranger.delete(path).status_code == 404
        assert stranger.get("/api/v1/applications").json() == []

    def test_there_is_an_end_to_it(self, api: API, ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(applications, "MOST", 1)
        client = api(ana)
        assert client.post("/api/v1/applications", self.BODY).status_code == 201
        assert client.post("/api/v1/applications", self.BODY).json()["code"] == "too_many_applications"

    @pytest.mark.parametrize(
        "uri",
        [
            "https://app.example.org/cb",
            "https://app.example.org:8443/cb?x=1",
            "http://127.0.0.1/cb",
            "http://[::1]:7000/cb",
            "http://localhost:3000/",
            "org.example.app:/cb",
            "org.example.app://cb",
        ],
    )
    def test_addresses_that_can_be_registered(self, uri: str) -> None:
        assert redirect_uri_problem(uri) is None

    @pytest.mark.parametrize(
        "uri",
        [
            "",
            "app.example.org",
            "http://app.example.org/cb",
            "http://127.0.0.1.evil.example/cb",
            "HTTPS://app.example.org/",
            "https://App.example.org/",
            "https://app.example.org:/",
            "https://app.example.org:99999/",
            "https://app.example.org:0/",
            "https://user@app.example.org/",
            "https://*.example.org/",
            "https://app.example.org/#x",
            "https://app.example.org\\@evil.example/",
            "https:///cb",
            "https://[::1/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp://cb",
            "https://app.example.org/a b",
            "https://app.example.org/\n",
            "https://app.example.org/" + "a" * 500,
        ],
    )
    def test_addresses_that_cannot(self, uri: str) -> None:
        assert redirect_uri_problem(uri)


@pytest.fixture
def own_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_parts", dict(exports._parts))
    monkeypatch.setattr(closing, "_steps", {})


class TestExport:
    def test_it_holds_what_every_domain_yields(
        self, api: API, ana: User, browser: Client, own_registries: None
    ) -> None:
        def hats(user: User) -> Iterator[dict[str, Any]]:
            yield from ({"hat": number, "of": user.pk} for number in range(3))

        exports.register("hats", hats)
        response = api(ana).get("/api/v1/me/export")
        assert response.streaming
        assert response["Content-Disposition"].startswith("attachment")
        told = json.loads(b"".join(response.streaming_content))
        assert told["hats"] == [{"hat": number, "of": str(ana.pk)} for number in range(3)]
        assert told["account"][0]["email"] == ana.email
        assert told["email_addresses"] == [{"email": ana.email, "verified": True, "primary": True}]
        assert len(told["sessions"]) == 1
        assert told["exported_at"].endswith("Z")
        assert "password" not in json.dumps(told)

    def test_two_parts_cannot_share_a_name(self, own_registries: None) -> None:
        exports.register("hats", lambda user: [])
        with pytest.raises(ValueError, match="hats"):
            exports.register("hats", lambda user: [])


class TestClose:
    @pytest.mark.usefixtures("own_registries")
    def test_it_erases_who_i_was_and_keeps_my_id(
        self, api: API, ana: User, browser: Client, tokens: dict[str, Any], server_app: Any
    ) -> None:
        Application.objects.filter(pk=server_app[0].pk).update(user=ana)
        totp.TOTP.activate(ana, totp.generate_totp_secret())
        erased = []
        closing.register("hats", lambda user, forfeit: erased.append((user.pk, forfeit)))
        email = ana.email
        client = api(ana)
        response = client.post("/api/v1/me/close", {"confirm": email.upper()})
        assert response.status_code == 204
        assert erased == [(ana.pk, False)]
        ana.refresh_from_db()
        assert ana.email == f"closed-{ana.pk}@closed.invalid"
        assert (ana.name, ana.is_active, ana.has_usable_password()) == ("", False, False)
        assert ana.closed_at is not None
        assert Collective.objects.get(pk=ana.pk).name == f"User {ana.pk.hex[-6:]}"
        assert not EmailAddress.objects.filter(user=ana).exists()
        assert not UserSession.objects.exists()
        assert not Session.objects.exists()
        assert not AccessToken.objects.exists()
        assert not RefreshToken.objects.filter(revoked=None).exists()
        assert not Application.objects.filter(user=ana).exists()
        assert not Authorisation.objects.filter(ended_at=None).exists()
        assert client.get("/api/v1/me").status_code == 401
        assert browser.get("/accounts/email/").status_code == 302
        again = Client().post(
            "/accounts/signup/",
            {"email": email, "name": "Ana", "password1": "back once more", "wants": "work"},
        )
        assert again.status_code == 302
        assert User.objects.filter(email=email).exclude(pk=ana.pk).exists()

    @pytest.mark.usefixtures("own_registries")
    def test_a_domain_may_refuse_and_then_nothing_has_changed(self, api: API, ana: User) -> None:
        class MoneyLeft(Conflict):
            code = "money_left"

        def step(user: User, forfeit: bool) -> None:
            User.objects.filter(pk=user.pk).update(name="half closed")
            if not forfeit:
                raise MoneyLeft

        closing.register("money", step)
        client = api(ana)
        response = client.post("/api/v1/me/close", {"confirm": ana.email})
        assert (response.status_code, response.json()["code"]) == (409, "money_left")
        ana.refresh_from_db()
        assert (ana.name, ana.is_active) == ("Ana", True)
        assert client.post("/api/v1/me/close", {"confirm": ana.email, "forfeit": True}).status_code == 204

    @pytest.mark.usefixtures("own_registries")
    def test_it_wants_my_address(self, api: API, ana: User) -> None:
        client = api(ana)
        for body in ({}, {"confirm": "other@example.org"}, {"confirm": ""}):
            response = client.post("/api/v1/me/close", body)
            assert response.json()["errors"][0]["field"] == "confirm"
        assert client.get("/api/v1/me").status_code == 200

    @pytest.mark.usefixtures("own_registries")
    def test_the_same_key_gives_the_same_answer(self, api: API, ana: User) -> None:
        response = api(ana).post(
            "/api/v1/me/close", {"confirm": ana.email}, headers={"Idempotency-Key": "close-me-once"}
        )
        assert response.status_code == 204


class TestCommands:
    def test_a_token_for_a_script(self, ana: User) -> None:
        out = io.StringIO()
        call_command("create_token", ana.email.upper(), "--scope", "account:read work:read", "--days", "2", stdout=out)
        token = out.getvalue().strip()
        assert me(token).json()["id"] == str(ana.pk)
        stored = AccessToken.objects.get()
        assert stored.token == ""
        assert timedelta(days=1.9) < stored.expires - timezone.now() < timedelta(days=2.1)

    @pytest.mark.parametrize(
        "arguments",
        [
            ["nobody@example.org", "--scope", "account:read"],
            ["ANA", "--scope", "all"],
            ["ANA", "--scope", " "],
            ["ANA", "--scope", "account:read", "--days", "0"],
        ],
    )
    def test_what_is_wrong_is_a_sentence(self, ana: User, arguments: list[str]) -> None:
        with pytest.raises(CommandError, match=r"\.$"):
            call_command("create_token", *[ana.email if word == "ANA" else word for word in arguments])
        assert not AccessToken.objects.exists()

    def test_the_first_party_applications(self, db: None) -> None:
        out = io.StringIO()
        call_command("create_first_party", stdout=out)
        assert "guildhall-web: http" in out.getvalue()
        assert "org.guildhall.app://signed-in" in Application.objects.get(client_id="guildhall-web").redirect_uris


class TestAdmin:
    @pytest.fixture
    def operator(self, ana: User) -> Client:
        User.objects.filter(pk=ana.pk).update(is_staff=True, is_superuser=True)
        client = Client()
        client.force_login(User.objects.get(pk=ana.pk))
        return client

    @pytest.mark.parametrize("path", ["user", "authorisation", "application"])
    def test_lists_do_not_grow_in_queries(
        self, operator: Client, make_user: API, public_app: Application, django_assert_max_num_queries: Any, path: str
    ) -> None:
        def fill(count: int) -> None:
            for number in range(count):
                user = make_user(f"Many {number}")
                Authorisation.objects.create(
                    user=user,
                    application=public_app,
                    code_checksum=f"{number}-{user.pk}",
                    code_expires_at=timezone.now(),
                )

        fill(12)
        with django_assert_max_num_queries(12):
            page = operator.get(f"/admin/accounts/{path}/")
        assert page.status_code == 200

    def test_an_application_can_be_opened(self, operator: Client, public_app: Application) -> None:
        page = operator.get(f"/admin/accounts/application/{public_app.pk}/change/")
        assert page.status_code == 200
        assert "View on site" not in page.content.decode()
        assert operator.get("/admin/").status_code == 200

    def test_users_are_found_shown_made_and_not_deleted(self, operator: Client, ana: User) -> None:
        assert ana.email in operator.get("/admin/accounts/user/", {"q": "Ana"}).content.decode()
        assert operator.get("/admin/accounts/user/", {"q": str(ana.pk)}).status_code == 200
        assert operator.get(f"/admin/accounts/user/{ana.pk}/change/").status_code == 200
        assert operator.get(f"/admin/accounts/user/{ana.pk}/delete/").status_code == 403
        fields = {
            "email": "New@Example.org",
            "name": "New",
            "usable_password": "true",
            "password1": "never on a monday",
            "password2": "never on a monday",
        }
        inline = {
            f"emailaddress_set-{name}": "0"
            for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
        }
        response = operator.post("/admin/accounts/user/add/", fields | inline)
        assert response.status_code == 302, response.context["adminform"].form.errors
        assert User.objects.get(email="new@example.org").check_password("never on a monday")


@pytest.mark.django_db(transaction=True)
def test_our_bearer_class_costs_a_fraction_of_the_stock_one() -> None:
    found = auth.measure(calls=200)
    assert found["ours"][0] * 3 < found["stock"][0]
    assert not User.objects.filter(email="bench@example.org").exists()
