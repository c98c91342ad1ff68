"""A client on an origin of its own, which the operator has named; and one that nobody has named."""

import os
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bench.stack import Stack
from tests.e2e.conftest import CLIENT, Browsers, serving, sign_up

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

CALL = """
([address, options]) => fetch(address, options).then((answer) => answer.status, (refusal) => refusal.name)
"""


@pytest.fixture(scope="module")
def elsewhere(stack: Stack, other_origin: tuple[str, Path]) -> str:
    """The origin of a client that was built for this stack's API."""
    origin, folder = other_origin
    build = ["npx", "--no-install", "vite", "build", "--outDir", str(folder), "--emptyOutDir", "--logLevel", "warn"]
    # Without nginx the gateway has an origin of its own too.
    origins = {"VITE_API_ORIGIN": stack.url, "VITE_LIVE_ORIGIN": f"http://127.0.0.1:{stack.gateway_port}"}
    subprocess.run(build, cwd=CLIENT, env={**os.environ, **origins}, check=True)
    return origin


def test_a_client_of_another_origin_signs_in_and_lists_the_feed(
    stack: Stack, browsers: Browsers, elsewhere: str
) -> None:
    page = browsers.open()
    sign_up(page, elsewhere, "Ines", "do tasks and be paid")
    assert page.url == f"{elsewhere}/"
    page.get_by_role("link", name="Find work").first.click()
    expect(page.get_by_role("searchbox", name="Search")).to_be_visible()
    expect(page.get_by_role("article").or_(page.get_by_text("No work for you right now")).first).to_be_visible()

    page.reload()
    expect(page.get_by_role("searchbox", name="Search")).to_be_visible()
    assert page.url == f"{elsewhere}/feed"

    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{stack.url}/accounts/logout/*")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{elsewhere}/")
    expect(
        page.get_by_role("button", name="Sign in").or_(page.get_by_role("link", name="Sign in")).first
    ).to_be_visible()


def test_an_origin_that_is_not_named_is_refused(stack: Stack, browsers: Browsers, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>Elsewhere</title>")
    with serving(tmp_path) as origin:
        page = browsers.open(strict=False)
        page.goto(origin)
        assert call(page, f"{stack.url}/api/v1/time") == "TypeError"
        assert call(page, f"{stack.url}/api/v1/me", headers={"Authorization": "Bearer x"}) == "TypeError"
        assert call(page, f"{stack.url}/api/v1/feed", credentials="include") == "TypeError"
        assert call(page, f"{stack.url}/oauth/token", method="POST", body="grant_type=refresh_token") == "TypeError"

        query = f"response_type=code&client_id=guildhall-web&redirect_uri={origin}/signed-in&code_challenge={'x' * 43}"
        page.goto(f"{stack.url}/oauth/authorize?{query}&code_challenge_method=S256&state=1&scope=account:read")
        assert page.url.startswith(stack.url)


def test_the_named_origin_may_read_and_no_more(stack: Stack, browsers: Browsers, elsewhere: str) -> None:
    page = browsers.open(strict=False)
    page.goto(elsewhere)
    assert call(page, f"{stack.url}/api/v1/time") == 200
    # Cookies are for the server's own pages, which no other origin may read.
    assert call(page, f"{stack.url}/api/v1/time", credentials="include") == "TypeError"
    assert call(page, f"{stack.url}/accounts/email/") == "TypeError"


def call(page: Page, address: str, **options: object) -> object:
    """The status that a script of this page gets, or the name of the browser's refusal."""
    return page.evaluate(CALL, [address, options])
