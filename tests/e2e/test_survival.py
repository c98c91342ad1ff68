"""What a worker has typed outlives the tab, the server and the session's token."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bench.stack import Stack
from tests.e2e.conftest import Browsers, sign_up

pytestmark = [pytest.mark.e2e, pytest.mark.processes]


@pytest.fixture
def short_tokens(stack: Stack) -> Iterator[Stack]:
    """The stack with access tokens that last four seconds."""

    def restart(**env: str) -> None:
        stack.kill_web()
        stack.env.update(env)
        stack.start_web()

    restart(ACCESS_TOKEN_SECONDS="4")
    yield stack
    restart(ACCESS_TOKEN_SECONDS="3600")


def start_task(page: Page, base: str) -> Page:
    page.goto(f"{base}/feed")
    card = page.get_by_role("article").filter(has_text="duck")
    card.get_by_role("button", name=re.compile("Start|Go on")).click()
    expect(page.get_by_role("button", name="Submit and next")).to_be_visible()
    return page


def write_note(page: Page, text: str) -> None:
    page.get_by_label("Anything the requester should know").fill(text)


def expect_note(page: Page, text: str) -> None:
    expect(page.get_by_label("Anything the requester should know")).to_have_value(text)


def test_a_draft_outlives_its_tab_and_a_server_that_was_killed(
    stack: Stack, browsers: Browsers, demo: dict[str, Any]
) -> None:
    page = start_task(browsers.open(state=demo["worker"]), stack.url)
    address = page.url
    page.get_by_role("radio", name="No duck").check()
    write_note(page, "The reeds hide half of it")
    expect(page.get_by_text(re.compile("Draft saved .* ago on the server"))).to_be_visible()
    page.close(run_before_unload=False)

    page = browsers.open(state=demo["worker"])
    page.goto(address)
    expect_note(page, "The reeds hide half of it")
    expect(page.get_by_role("radio", name="No duck")).to_be_checked()
    expect(page.get_by_text("Your draft was restored.")).to_be_visible()

    stack.kill_web()
    with browsers.expecting(r"Failed to load resource: net::ERR_(CONNECTION_REFUSED|EMPTY_RESPONSE|CONNECTION_RESET)"):
        write_note(page, "The reeds hide half of it; typed while nobody listened")
        expect(page.get_by_text(re.compile("Draft not saved: .* It stays in this tab."))).to_be_visible()
        stack.start_web()
        expect(page.get_by_text(re.compile("Draft saved .* ago on the server"))).to_be_visible()
    page.close(run_before_unload=False)

    page = browsers.open(state=demo["worker"])
    page.goto(address)
    expect_note(page, "The reeds hide half of it; typed while nobody listened")
    page.get_by_role("button", name="Submit and next").click()
    expect(page).not_to_have_url(address)
    page.goto(address)
    expect_note(page, "The reeds hide half of it; typed while nobody listened")
    expect(page.get_by_label("Anything the requester should know")).to_be_disabled()


def test_what_was_typed_last_is_kept_when_the_page_goes_at_once(
    stack: Stack, browsers: Browsers, demo: dict[str, Any]
) -> None:
    page = start_task(browsers.open(state=demo["worker"]), stack.url)
    address = page.url
    write_note(page, "gone before the draft's clock rang")
    page.goto("about:blank")

    page = browsers.open(state=demo["worker"])
    page.goto(address)
    expect_note(page, "gone before the draft's clock rang")


def test_the_session_renews_itself_and_a_reload_asks_for_nothing(
    short_tokens: Stack, browsers: Browsers, demo: dict[str, Any]
) -> None:
    page = browsers.open(state=demo["worker"])
    grants: list[str] = []
    page.on(
        "request", lambda request: grants.append(request.post_data or "") if "/oauth/token" in request.url else None
    )
    page.goto(f"{short_tokens.url}/earnings")
    expect(page.get_by_text("by project")).to_be_visible()
    renewed = "grant_type=refresh_token"
    for _ in range(2):
        with page.expect_response(lambda answer: renewed in (answer.request.post_data or "")) as waiting:
            pass
        assert waiting.value.ok
    page.get_by_role("link", name="My work").click()
    expect(page.get_by_role("heading", name="My work")).to_be_visible()
    expect(page.get_by_role("heading", level=2).first).to_be_visible()

    page.reload()
    expect(page.get_by_role("heading", name="My work")).to_be_visible()
    assert page.url == f"{short_tokens.url}/work"
    assert "grant_type=authorization_code" in grants[-1]


def test_a_signed_out_browser_stays_signed_out(stack: Stack, browsers: Browsers) -> None:
    page = browsers.open()
    sign_up(page, stack.url, "Olga", "both")
    with page.expect_response("**/accounts/logout/"):
        page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{stack.url}/")
    expect(page.get_by_role("button", name="Sign up")).to_be_visible()
    page.goto(f"{stack.url}/projects")
    expect(page.get_by_label("Password")).to_be_visible()
