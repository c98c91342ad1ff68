"""The OAuth2 endpoints from outside: the flows, and each trap that the packages leave open."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from api.accounts.models import Application, Authorisation, User
from api.accounts.services import applications, authorisations
from tests.accounts.conftest import (
    CALLBACK,
    CHALLENGE,
    VERIFIER,
    answer_of,
    asked,
    basic,
    call,
    code_for,
    consent,
    exchange,
    me,
    refresh,
)


class TestFlow:
    def test_a_code_becomes_tokens_that_open_the_api(self, tokens: dict[str, Any], ana: User) -> None:
        assert tokens["scope"] == "account:read work:read"
        assert tokens["expires_in"] <= 3600
        assert me(tokens["access_token"]).json()["id"] == str(ana.pk)

    def test_a_refresh_gives_new_tokens_and_ends_the_old(self, tokens: dict[str, Any], public_app: Application) -> None:
        renewed = refresh(public_app, tokens["refresh_token"]).json()
        assert renewed["refresh_token"] != tokens["refresh_token"]
        assert renewed["scope"] == "account:read work:read"
        assert me(renewed["access_token"]).status_code == 200
        assert me(tokens["access_token"]).status_code == 401

    def test_anonymous_users_are_led_through_signing_in_and_back(self, public_app: Application, ana: User) -> None:
        client = Client()
        address = asked(public_app)
        response = client.get(address)
        assert response["Location"] == f"/accounts/login/?next={quote(address, safe='/')}"
        page = client.get(response["Location"])
        fields = {"login": ana.email, "password": "a long way down", "next": page.context["redirect_field_value"]}
        assert client.post("/accounts/login/", fields)["Location"] == address

    def test_prompt_create_leads_to_signing_up(self, public_app: Application) -> None:
        response = Client().get(asked(public_app, prompt="create"))
        assert response["Location"].startswith("/accounts/signup/?next=/oauth/authorize")

    def test_prompt_none_never_shows_a_page(self, browser: Client, public_app: Application) -> None:
        assert answer_of(Client().get(asked(public_app, prompt="none")))["error"] == "login_required"
        assert answer_of(browser.get(asked(public_app, prompt="none")))["error"] == "consent_required"

    def test_the_first_party_client_needs_no_consent(self, browser: Client, web_app: Application) -> None:
        uri = f"{settings.PUBLIC_URL}/signed-in"
        response = browser.get(asked(web_app, redirect_uri=uri, scope=" ".join(settings.SCOPES)))
        code = answer_of(response)["code"]
        assert exchange(web_app, code, redirect_uri=uri).json()["scope"] == " ".join(settings.SCOPES)

    def test_a_scheme_that_any_app_may_claim_always_needs_consent(self, browser: Client, web_app: Application) -> None:
        page = browser.get(asked(web_app, redirect_uri="org.guildhall.app://signed-in"))
        assert page.status_code == 200
        assert "form-action 'self' org.guildhall.app:;" in page["Content-Security-Policy"]

    def test_saying_no_tells_the_client(self, browser: Client, public_app: Application) -> None:
        told = answer_of(consent(browser, asked(public_app), "deny"))
        assert told["error"] == "access_denied"
        assert told["iss"] == settings.PUBLIC_URL
        assert told["state"] == "s"

    def test_the_page_says_who_asks_for_what_and_where_it_leads(self, browser: Client, public_app: Application) -> None:
        page = browser.get(asked(public_app))
        text = page.content.decode()
        for words in ("Pocket", "registered by Dev", settings.SCOPES["work:read"], "https://app.example.org"):
            assert words in text
        assert "form-action 'self' https://app.example.org;" in page["Content-Security-Policy"]
        assert page["Cache-Control"] == "no-store"
        assert "<script" not in text
        assert " style=" not in text

    def test_a_server_acts_as_its_owner_with_registered_scopes_only(self, server_app: tuple[Application, str]) -> None:
        application, secret = server_app
        headers = {"Authorization": basic(application.client_id, secret)}
        given = call("token", {"grant_type": "client_credentials"}, **headers)
        assert given.status_code == 200
        assert "refresh_token" not in given.json()
        assert set(given.json()["scope"].split()) == set(application.scopes)
        assert me(given.json()["access_token"]).json()["id"] == str(application.user_id)
        beyond = call("token", {"grant_type": "client_credentials", "scope": "ledger:write"}, **headers)
        assert (beyond.status_code, beyond.json()["error"]) == (400, "invalid_scope")

    def test_a_scope_that_is_no_longer_offered_is_left_out(self, server_app: tuple[Application, str]) -> None:
        application, secret = server_app
        offered = list(application.scopes)
        Application.objects.filter(pk=application.pk).update(scopes=[*offered, "gone:read"])
        given = call("token", {"grant_type": "client_credentials"}, Authorization=basic(application.client_id, secret))
        assert set(given.json()["scope"].split()) == set(offered)

    def test_a_closed_owner_ends_what_the_server_may(self, server_app: tuple[Application, str]) -> None:
        application, secret = server_app
        User.objects.filter(pk=application.user_id).update(is_active=False)
        fields = {"grant_type": "client_credentials"}
        response = call("token", fields, Authorization=basic(application.client_id, secret))
        assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")

    def test_the_metadata_tells_what_there_is_and_no_more(self, client: Client) -> None:
        told = client.get("/.well-known/oauth-authorization-server").json()
        assert told["issuer"] == settings.PUBLIC_URL
        assert told["code_challenge_methods_supported"] == ["S256"]
        assert told["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
        assert not {"jwks_uri", "device_authorization_endpoint", "userinfo_endpoint"} & set(told)
        for name in ("authorization", "token", "revocation", "introspection"):
            path = told[f"{name}_endpoint"].removeprefix(settings.PUBLIC_URL)
            assert client.post(path).status_code in {400, 401}, path

    @pytest.mark.parametrize(
        "path",
        ["/oauth/device-authorization/", "/oauth/userinfo/", "/oauth/register/", "/oauth/applications/"],
    )
    def test_what_is_not_offered_is_not_there(self, browser: Client, path: str) -> None:
        assert browser.get(path).status_code == 404
        assert browser.post(path).status_code == 404


class TestAuthorise:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": None}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "code id_token"}, "unsupported_response_type"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge": "x" * 43 + "\n"}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"scope": "everything"}, "invalid_scope"),
            ({"scope": "openid"}, "invalid_scope"),
            ({"request": "eyJ"}, "request_not_supported"),
            ({"resource": "https://api.example.org"}, "invalid_target"),
        ],
    )
    def test_what_is_wrong_is_told_to_the_client_with_iss_and_state(
        self, browser: Client, public_app: Application, changes: dict[str, Any], error: str
    ) -> None:
        response = browser.get(asked(public_app, **changes))
        assert response["Location"].startswith(CALLBACK + "&error=")
        told = answer_of(response)
        assert (told["error"], told["state"], told["iss"]) == (error, "s", settings.PUBLIC_URL)
        assert response["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        "uri",
        [
            None,
            "",
            "https://app.example.org/back",
            "https://app.example.org/back?from=guildhall&x=1",
            "HTTPS://app.example.org/back?from=guildhall",
            "https://APP.example.org/back?from=guildhall",
            "https://app.example.org:/back?from=guildhall",
            "https://app.example.org:443/back?from=guildhall",
            "https://app.example.org/back?from=guildhall\n",
            "https://app.example.org/./back?from=guildhall",
            "https://app.example.org@evil.example/back?from=guildhall",
            "https://app.example.org:99999/back?from=guildhall",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.2:5000/cb",
            "http://localhost:5000/cb",
            "http://127.0.0.1:5000/cb/..",
            "javascript:alert(1)",
            "https://[broken/back",
        ],
    )
    def test_an_address_that_is_not_registered_to_the_letter_is_never_redirected_to(
        self, browser: Client, public_app: Application, uri: str | None
    ) -> None:
        response = browser.get(asked(public_app, redirect_uri=uri))
        assert response.status_code == 400
        assert "Location" not in response

    @pytest.mark.parametrize("uri", ["http://127.0.0.1:5000/cb", "http://127.0.0.1:61234/cb", "http://127.0.0.1/cb"])
    def test_the_port_of_a_loopback_address_is_free(self, browser: Client, public_app: Application, uri: str) -> None:
        code = answer_of(consent(browser, asked(public_app, redirect_uri=uri)))["code"]
        assert exchange(public_app, code, redirect_uri=uri).status_code == 200

    def test_but_not_for_the_first_party_client(self, browser: Client, web_app: Application) -> None:
        assert settings.PUBLIC_URL.startswith("http://127.0.0.1:")
        response = browser.get(asked(web_app, redirect_uri="http://127.0.0.1:6666/signed-in"))
        assert response.status_code == 400

    @pytest.mark.parametrize("state", [" spaced out ", "%25\t+&=#", "ünïcode", "a" * 2000, '"><script>'])
    def test_state_comes_back_byte_for_byte(self, browser: Client, public_app: Application, state: str) -> None:
        assert answer_of(consent(browser, asked(public_app, state=state)))["state"] == state
        assert answer_of(consent(browser, asked(public_app, state=state), "deny"))["state"] == state

    @pytest.mark.parametrize(
        "tail",
        [
            "&state=%00",
            "&x=%zz",
            "&x=%",
            "&x=%ff",
            "&x=" + "a" * 5000,
            "&client_id=other",
            "&scope=work:read",
            "&" + "&".join(f"p{n}=1" for n in range(60)),
            "&x=" + "a" * 20_000,
        ],
    )
    def test_broken_queries_are_refused_on_a_page(self, browser: Client, public_app: Application, tail: str) -> None:
        assert browser.get(asked(public_app) + tail).status_code == 400

    def test_unknown_and_odd_clients_are_refused_on_a_page(self, browser: Client, public_app: Application) -> None:
        for client_id in ("nobody", "a" * 3000, "\x7f", "'; --", None):
            assert browser.get(asked(public_app, client_id=client_id)).status_code == 400

    def test_approval_prompt_does_not_skip_consent(
        self, tokens: dict[str, Any], browser: Client, public_app: Application
    ) -> None:
        assert browser.get(asked(public_app) + "&approval_prompt=auto").status_code == 200

    def test_a_form_that_was_changed_is_refused(self, browser: Client, public_app: Application) -> None:
        signed = browser.get(asked(public_app)).context["signed"]
        for changed in ("", "x", signed[:-2], signed + "a", signed.replace(":", "")):
            response = browser.post("/oauth/authorize", {"request": changed, "answer": "allow"})
            assert response.status_code == 400
        assert not Authorisation.objects.exists()

    def test_a_form_is_good_for_its_user_only(
        self, browser: Client, public_app: Application, make_user: Callable[..., User]
    ) -> None:
        signed = browser.get(asked(public_app)).context["signed"]
        other = Client()
        other.force_login(make_user("Ben"))
        assert other.post("/oauth/authorize", {"request": signed, "answer": "allow"}).status_code == 400
        assert Client().post("/oauth/authorize", {"request": signed, "answer": "allow"}).status_code == 400

    def test_the_form_is_guarded_against_other_sites(self, browser: Client, public_app: Application) -> None:
        signed = browser.get(asked(public_app)).context["signed"]
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = browser.cookies
        response = strict.post("/oauth/authorize", {"request": signed, "answer": "allow"})
        assert response.status_code == 403
        assert "could not be accepted" in response.content.decode()

    def test_an_application_asks_for_no_more_than_it_registered(
        self, browser: Client, server_app: tuple[Application, str]
    ) -> None:
        told = answer_of(browser.get(asked(server_app[0], scope="ledger:write")))
        assert told["error"] == "invalid_scope"


class TestCode:
    def test_a_code_used_twice_ends_what_it_gave(self, browser: Client, public_app: Application) -> None:
        code = code_for(browser, public_app)
        first = exchange(public_app, code)
        again = exchange(public_app, code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert me(first.json()["access_token"]).status_code == 401
        assert refresh(public_app, first.json()["refresh_token"]).status_code == 400

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"code_verifier": "w" * 43}, "invalid_grant"),
            ({"code_verifier": ""}, "invalid_request"),
            ({"code_verifier": "w" * 129}, "invalid_request"),
            ({"redirect_uri": ""}, "invalid_request"),
            ({"redirect_uri": "http://127.0.0.1:5000/cb"}, "invalid_grant"),
            ({"redirect_uri": CALLBACK + "#"}, "invalid_grant"),
            ({"code": "never"}, "invalid_grant"),
            ({"code": ""}, "invalid_request"),
            ({"client_id": "never"}, "invalid_client"),
            ({"client_id": ""}, "invalid_client"),
            ({"resource": "https://x.example"}, "invalid_target"),
        ],
    )
    def test_an_exchange_must_fit_its_request(
        self, browser: Client, public_app: Application, changes: dict[str, str], error: str
    ) -> None:
        code = code_for(browser, public_app)
        response = exchange(public_app, code, **changes)
        assert response.json()["error"] == error
        assert response.status_code == (401 if error == "invalid_client" else 400)
        assert exchange(public_app, code).status_code == 200

    def test_another_client_cannot_exchange_it(
        self, browser: Client, public_app: Application, server_app: tuple[Application, str]
    ) -> None:
        code = code_for(browser, public_app)
        application, secret = server_app
        response = exchange(application, code, client_secret=secret)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")

    def test_codes_last_a_minute(self, browser: Client, public_app: Application) -> None:
        code = code_for(browser, public_app)
        Authorisation.objects.update(code_expires_at=timezone.now())
        assert exchange(public_app, code).json()["error"] == "invalid_grant"

    def test_neither_codes_nor_tokens_nor_secrets_are_stored_as_they_are(
        self, browser: Client, server_app: tuple[Application, str]
    ) -> None:
        application, secret = server_app
        code = code_for(browser, application, scope="account:read")
        given = exchange(application, code, client_secret=secret).json()
        stored = json.dumps(
            [*Authorisation.objects.values(), *AccessToken.objects.values(), *RefreshToken.objects.values()]
            + [*Application.objects.values()],
            default=str,
        )
        for text in (code, given["access_token"], given["refresh_token"], secret):
            assert text not in stored

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_one_gets_tokens_and_reuse_ends_them(
        self, together: Callable[..., list[Any]], browser: Client, public_app: Application
    ) -> None:
        code = code_for(browser, public_app)
        answers = together(*[lambda: exchange(public_app, code)] * 8)
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
        assert AccessToken.objects.count() == 0


class TestRefresh:
    def test_reuse_ends_the_family(self, tokens: dict[str, Any], public_app: Application) -> None:
        renewed = refresh(public_app, tokens["refresh_token"]).json()
        stolen = refresh(public_app, tokens["refresh_token"])
        assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
        assert me(renewed["access_token"]).status_code == 401
        assert refresh(public_app, renewed["refresh_token"]).status_code == 400

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_one_wins(
        self, together: Callable[..., list[Any]], browser: Client, public_app: Application
    ) -> None:
        for _ in range(3):
            given = exchange(public_app, code_for(browser, public_app)).json()
            token = given["refresh_token"]
            answers = together(*[lambda token=token: refresh(public_app, token)] * 8)
            assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
            assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}
        assert RefreshToken.objects.filter(revoked=None).count() == 0

    @pytest.mark.django_db(transaction=True)
    def test_refreshing_and_revoking_at_once_leaves_nothing_alive(
        self, together: Callable[..., list[Any]], browser: Client, public_app: Application
    ) -> None:
        for _ in range(3):
            given = exchange(public_app, code_for(browser, public_app)).json()
            fields = {"client_id": public_app.client_id, "token": given["access_token"]}
            answers = together(
                *[lambda token=given["refresh_token"]: refresh(public_app, token)] * 3,
                *[lambda fields=fields: call("revoke", fields)] * 3,
            )
            assert {answer.status_code for answer in answers} <= {200, 400}
            assert RefreshToken.objects.filter(revoked=None).count() == 0
            assert AccessToken.objects.count() == 0

    def test_a_narrowed_refresh_keeps_the_scope_of_the_grant(
        self, tokens: dict[str, Any], public_app: Application
    ) -> None:
        narrow = refresh(public_app, tokens["refresh_token"], scope="work:read").json()
        assert narrow["scope"] == "work:read"
        assert me(narrow["access_token"]).status_code == 403
        wide = refresh(public_app, narrow["refresh_token"]).json()
        assert wide["scope"] == "account:read work:read"

    def test_a_refresh_never_widens(self, tokens: dict[str, Any], public_app: Application) -> None:
        response = refresh(public_app, tokens["refresh_token"], scope="account:read ledger:write")
        assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")
        assert refresh(public_app, tokens["refresh_token"]).status_code == 200

    def test_it_is_bound_to_its_client(
        self, tokens: dict[str, Any], public_app: Application, server_app: tuple[Application, str]
    ) -> None:
        application, secret = server_app
        response = refresh(application, tokens["refresh_token"], client_secret=secret)
        assert response.json()["error"] == "invalid_grant"
        assert refresh(public_app, tokens["refresh_token"]).status_code == 200

    def test_it_does_not_outlive_disuse_or_the_account(
        self, tokens: dict[str, Any], public_app: Application, ana: User
    ) -> None:
        User.objects.filter(pk=ana.pk).update(is_active=False)
        assert refresh(public_app, tokens["refresh_token"]).status_code == 400
        assert me(tokens["access_token"]).status_code == 401
        User.objects.filter(pk=ana.pk).update(is_active=True)
        RefreshToken.objects.update(created=timezone.now() - settings.REFRESH_TOKEN_LASTS)
        assert refresh(public_app, tokens["refresh_token"]).status_code == 400

    def test_what_the_application_gave_up_is_not_refreshed(
        self, tokens: dict[str, Any], public_app: Application
    ) -> None:
        Application.objects.filter(pk=public_app.pk).update(scopes=["work:read"])
        assert refresh(public_app, tokens["refresh_token"]).json()["scope"] == "work:read"


class TestTokenEndpoint:
    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ("", "invalid_request"),
            ("grant_type=password&username=a&password=b", "unsupported_grant_type"),
            ("grant_type=implicit", "unsupported_grant_type"),
            ("grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=x", "unsupported_grant_type"),
            ("grant_type=refresh_token&refresh_token=%00", "invalid_request"),
            ("grant_type=refresh_token&refresh_token=%zz", "invalid_request"),
            ("grant_type=refresh_token&refresh_token=%ff", "invalid_request"),
            ("grant_type=refresh_token&refresh_token=\xff", "invalid_request"),
            ("grant_type=refresh_token&grant_type=refresh_token", "invalid_request"),
            ("grant_type=refresh_token&scope=a&scope=b", "invalid_request"),
            ("grant_type=refresh_token&refresh_token=" + "a" * 5000, "invalid_request"),
            ("grant_type=refresh_token&x=" + "a" * 20_000, "invalid_request"),
            ("grant_type=refresh_token&refresh_token=x&client_id=" + "a" * 3000, "invalid_client"),
            ("grant_type=refresh_token&refresh_token=x", "invalid_client"),
            ("grant_type=refresh_token&refresh_token=x&client_id=x&user=1&client=2&scopes=3", "invalid_client"),
            ("grant_type=client_credentials&client_id=nobody&client_secret=x", "invalid_client"),
        ],
    )
    def test_what_is_wrong_is_an_error_and_never_a_crash(self, db: None, body: str, error: str) -> None:
        response = call("token", body.encode("latin-1").decode("latin-1"))
        assert response.json()["error"] == error
        assert response.status_code == (401 if error == "invalid_client" else 400)
        assert response["Cache-Control"] == "no-store"
        if response.status_code == 401:
            assert response["WWW-Authenticate"].startswith("Basic ")

    def test_parameters_in_the_address_or_as_json_are_refused(self, client: Client, db: None) -> None:
        assert client.post("/oauth/token?grant_type=refresh_token").status_code == 400
        assert client.post("/oauth/token", "{}", content_type="application/json").status_code == 400
        assert client.post("/oauth/token", {"grant_type": "refresh_token"}).status_code == 400
        assert client.get("/oauth/token").status_code == 405

    def test_a_parameter_never_becomes_an_attribute_of_the_server(
        self, browser: Client, server_app: tuple[Application, str]
    ) -> None:
        application, secret = server_app
        code = code_for(browser, application, scope="account:read")
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "encoding": "klingon",
            "authorisation": "1",
            "used_refresh_token": "1",
            "refresh_token_instance": "1",
            "user": "1",
        }
        assert call("token", fields, Authorization=basic(application.client_id, secret)).status_code == 200

    def test_the_scheme_basic_is_read_in_any_case(self, server_app: tuple[Application, str]) -> None:
        application, secret = server_app
        header = basic(application.client_id, secret).replace("Basic", "bAsIc")
        assert call("token", {"grant_type": "client_credentials"}, Authorization=header).status_code == 200

    @pytest.mark.parametrize(
        "header", ["Basic", "Basic ", "Basic !!!", "Basic /w==", "Basic AA==", "Basic bm9jb2xvbg==", "Bearer x", "x"]
    )
    def test_broken_headers_are_a_failed_authentication(self, db: None, header: str) -> None:
        response = call("token", {"grant_type": "client_credentials"}, Authorization=header)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")

    def test_two_ways_of_authenticating_are_refused(self, server_app: tuple[Application, str]) -> None:
        application, secret = server_app
        fields = {"grant_type": "client_credentials", "client_id": application.client_id, "client_secret": secret}
        assert call("token", fields).status_code == 200
        both = call("token", fields, Authorization=basic(application.client_id, secret))
        assert (both.status_code, both.json()["error"]) == (400, "invalid_request")

    def test_a_confidential_client_must_prove_itself(
        self, browser: Client, server_app: tuple[Application, str]
    ) -> None:
        application, _ = server_app
        code = code_for(browser, application, scope="account:read")
        assert exchange(application, code).json()["error"] == "invalid_client"
        assert exchange(application, code, client_secret="wrong").json()["error"] == "invalid_client"

    def test_a_public_client_has_no_secret_to_prove(self, public_app: Application) -> None:
        fields = {"grant_type": "client_credentials", "client_id": public_app.client_id, "client_secret": "x"}
        assert call("token", fields).json()["error"] == "invalid_client"
        header = basic(public_app.client_id, "")
        assert call("token", {"grant_type": "client_credentials"}, Authorization=header).status_code == 401

    def test_tries_at_a_secret_are_counted(self, server_app: tuple[Application, str], settings: Any) -> None:
        settings.RATE_LIMITS = settings.RATE_LIMITS | {"secret": 3}
        application, secret = server_app
        for number in range(3):
            header = basic(application.client_id, f"guess {number}")
            assert call("token", {"grant_type": "client_credentials"}, Authorization=header).status_code == 401
        header = basic(application.client_id, secret)
        response = call("token", {"grant_type": "client_credentials"}, Authorization=header)
        assert response.status_code == 429
        assert int(response["Retry-After"]) > 0

    def test_one_address_is_counted(self, db: None, settings: Any) -> None:
        settings.RATE_LIMITS = settings.RATE_LIMITS | {"address": 2}
        assert [call("token", "").status_code for _ in range(3)] == [400, 400, 429]

    def test_a_client_on_another_origin_may_read_the_answer(self, db: None, settings: Any) -> None:
        settings.CORS_ALLOWED_ORIGINS = ["https://client.example.org"]
        response = call("token", "", Origin="https://client.example.org")
        assert response["Access-Control-Allow-Origin"] == "https://client.example.org"
        assert "Access-Control-Allow-Origin" not in call("token", "", Origin="https://evil.example")


class TestRevoke:
    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    def test_revoking_either_token_ends_both(self, tokens: dict[str, Any], public_app: Application, kind: str) -> None:
        response = call("revoke", {"client_id": public_app.client_id, "token": tokens[kind]})
        assert (response.status_code, response.content) == (200, b"")
        assert me(tokens["access_token"]).status_code == 401
        assert refresh(public_app, tokens["refresh_token"]).status_code == 400

    def test_revoking_a_used_refresh_token_ends_its_successors(
        self, tokens: dict[str, Any], public_app: Application
    ) -> None:
        renewed = refresh(public_app, tokens["refresh_token"]).json()
        call("revoke", {"client_id": public_app.client_id, "token": tokens["refresh_token"]})
        assert me(renewed["access_token"]).status_code == 401

    def test_another_clients_tokens_are_left_alone(
        self, tokens: dict[str, Any], server_app: tuple[Application, str]
    ) -> None:
        application, secret = server_app
        header = basic(application.client_id, secret)
        assert call("revoke", {"token": tokens["access_token"]}, Authorization=header).status_code == 200
        assert me(tokens["access_token"]).status_code == 200

    def test_unknown_tokens_are_no_error_and_broken_requests_are(self, public_app: Application) -> None:
        assert call("revoke", {"client_id": public_app.client_id, "token": "x"}).status_code == 200
        assert call("revoke", {"client_id": public_app.client_id}).status_code == 400
        assert call("revoke", f"client_id={public_app.client_id}&token=%00").status_code == 400
        assert call("revoke", {"token": "x"}).status_code == 401


class TestIntrospect:
    def test_a_client_sees_its_own_tokens(self, browser: Client, server_app: tuple[Application, str]) -> None:
        application, secret = server_app
        code = code_for(browser, application, scope="account:read")
        given = exchange(application, code, client_secret=secret).json()
        header = basic(application.client_id, secret)
        told = call("introspect", {"token": given["access_token"]}, Authorization=header).json()
        assert (told["active"], told["scope"], told["client_id"]) == (True, "account:read", application.client_id)
        assert told["exp"] - told["iat"] == 3600
        assert "username" not in told
        assert call("introspect", {"token": given["refresh_token"]}, Authorization=header).json()["active"]
        call("revoke", {"token": given["refresh_token"]}, Authorization=header)
        for token in (given["access_token"], given["refresh_token"]):
            assert call("introspect", {"token": token}, Authorization=header).json() == {"active": False}

    def test_nobody_sees_others(
        self, tokens: dict[str, Any], public_app: Application, server_app: tuple[Application, str]
    ) -> None:
        application, secret = server_app
        header = basic(application.client_id, secret)
        for token in (tokens["access_token"], tokens["refresh_token"], "x"):
            assert call("introspect", {"token": token}, Authorization=header).json() == {"active": False}
        fields = {"token": tokens["access_token"], "client_id": public_app.client_id}
        assert call("introspect", fields).status_code == 401
        assert Client().get("/oauth/introspect?token=x").status_code == 405


class TestBearer:
    def test_a_token_is_taken_from_the_header_only(self, tokens: dict[str, Any], client: Client) -> None:
        token = tokens["access_token"]
        assert client.get(f"/api/v1/me?access_token={token}").status_code == 401
        response = client.generic("GET", "/api/v1/me", f"access_token={token}", content_type="application/json")
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"

    def test_refresh_tokens_codes_and_rubbish_open_nothing(
        self, tokens: dict[str, Any], browser: Client, public_app: Application
    ) -> None:
        for text in (tokens["refresh_token"], code_for(browser, public_app), "", "\xff", "a b", "x" * 5000):
            response = me(text)
            assert response.status_code == 401
            assert "invalid_token" in response["WWW-Authenticate"]

    def test_an_expired_token_opens_nothing(self, tokens: dict[str, Any]) -> None:
        AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
        assert me(tokens["access_token"]).status_code == 401

    def test_a_missing_scope_is_named_in_a_challenge(self, tokens: dict[str, Any], client: Client) -> None:
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        response = client.patch("/api/v1/me", "{}", content_type="application/json", headers=headers)
        assert response.status_code == 403
        assert response["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="account:write"'

    def test_authenticating_costs_one_query(
        self, tokens: dict[str, Any], django_assert_num_queries: Callable[[int], Any]
    ) -> None:
        with django_assert_num_queries(1):
            response = Client().patch("/api/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert response.status_code == 403


def test_old_codes_and_tokens_are_forgotten_and_live_ones_kept(
    tokens: dict[str, Any], browser: Client, public_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    code_for(browser, public_app)
    now = timezone.now()

    def later(**by: float) -> None:
        monkeypatch.setattr(timezone, "now", lambda: now + timedelta(**by))

    assert authorisations.forget_old() == 0
    later(days=2)
    assert authorisations.forget_old() == 1
    assert not AccessToken.objects.exists()
    assert refresh(public_app, tokens["refresh_token"]).status_code == 200
    later(days=2 + settings.REFRESH_TOKEN_LASTS.days + 2)
    assert authorisations.forget_old() == 1
    assert not RefreshToken.objects.exists()
    assert not Authorisation.objects.exists()


def test_the_expired_access_token_of_a_live_refresh_token_may_be_forgotten(
    tokens: dict[str, Any], public_app: Application
) -> None:
    AccessToken.objects.all().delete()
    renewed = refresh(public_app, tokens["refresh_token"])
    assert renewed.status_code == 200
    assert me(renewed.json()["access_token"]).status_code == 200


def test_making_the_first_party_applications_twice_changes_nothing(db: None, settings: Any) -> None:
    web, scripts = applications.create_first_party()
    settings.CORS_ALLOWED_ORIGINS = ["https://client.example.org"]
    again, _ = applications.create_first_party()
    assert again.pk == web.pk
    assert "https://client.example.org/signed-in" in again.redirect_uris.split()
    assert again.client_type == "public"
    assert CHALLENGE
    assert scripts.first_party


def test_behind_a_proxy_each_client_is_counted_by_the_address_the_proxy_saw(db: None, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"address": 1}
    settings.PROXIES = 1

    def status(seen: str) -> int:
        return call("token", "", **{"X-Forwarded-For": seen}).status_code

    assert [status("1.1.1.1, 2.2.2.2"), status("3.3.3.3"), status("9.9.9.9, 2.2.2.2")] == [400, 400, 429]
    settings.PROXIES = 0
    assert [status("4.4.4.4"), status("5.5.5.5")] == [400, 429]
