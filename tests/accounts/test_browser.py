"""The server's pages in a real browser: signing up, a passkey, and what axe says about each page."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

AXE = Path(__file__).parents[2] / "client" / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "never on a monday"

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def chromium() -> str:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "No Chromium: `make test` installs it."
    return found


def look(page: Page) -> None:
    """The page fits its window, and axe has nothing to say, in the light and in the dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document).then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.target)]))")
        assert found == [], f"{page.url} ({scheme}): {json.dumps(found)}"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.url


def test_signing_up_adding_a_passkey_and_signing_in_with_it(live_server: Any) -> None:
    base = live_server.url
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 360, "height": 740})
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None,
        )

        page.goto(f"{base}/accounts/signup/?next=/accounts/2fa/")
        look(page)
        page.get_by_label("Email").fill("uma@example.org")
        page.get_by_label("Name").fill("Uma")
        page.get_by_label("Password").fill("short")
        page.get_by_label("both").check()
        page.get_by_role("button", name="Make the account").click()
        look(page)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        look(page)
        page.get_by_role("link", name="Open the message here").click()
        look(page)
        page.get_by_role("button", name="Yes, confirm").click()
        page.wait_for_url(f"{base}/accounts/2fa/")
        look(page)

        devices = context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        device = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": device})
        page.get_by_role("link", name="Add a passkey").click()
        look(page)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url(f"{base}/accounts/2fa/webauthn/add/")
        look(page)
        page.locator("[name=passwordless]").check()
        page.locator("#mfa_webauthn_add").click()
        page.wait_for_url(f"{base}/accounts/2fa/recovery-codes/")
        for path in ("2fa/recovery-codes/", "2fa/webauthn/", "2fa/totp/activate/", "sessions/", "email/"):
            page.goto(f"{base}/accounts/{path}")
            look(page)
        for path in ("password/change/", "logout/"):
            page.goto(f"{base}/accounts/{path}")
            look(page)
        page.locator("main").get_by_role("button", name="Sign out").click()

        page.goto(f"{base}/accounts/login/?next=/accounts/sessions/")
        look(page)
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url(f"{base}/accounts/sessions/")
        page.goto(f"{base}/oauth/authorize?client_id=nobody")
        look(page)
        browser.close()
    assert complaints == []


def test_everything_but_passkeys_works_without_javascript_and_by_keyboard(live_server: Any) -> None:
    base = live_server.url
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(f"{base}/accounts/signup/")
        page.get_by_label("Email").focus()
        for text in ("vic@example.org", "Vic", PASSWORD):
            page.keyboard.type(text)
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Open the message here").click()
        page.get_by_role("button", name="Yes, confirm").press("Enter")
        page.goto(f"{base}/accounts/email/")
        assert "vic@example.org" in page.inner_text("main")
        browser.close()
