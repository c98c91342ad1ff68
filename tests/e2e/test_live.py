"""Pages follow what happens, with no clock to help them: what changes was pushed, or came with the connection."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from bench.stack import Stack
from tests.e2e.conftest import Api, Browsers, shoot

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

# Pages ask anew by the browser's clock; without it only an event makes them.
NO_CLOCK = "window.setInterval = () => 0"
GONE = r"WebSocket connection to '.*' failed|Failed to load resource: net::ERR_CONNECTION_REFUSED"
INTERFACE = {
    "kind": "elements",
    "elements": [
        {"show": "text", "from": "name"},
        {
            "ask": "choice",
            "key": "label",
            "label": "A goose?",
            "required": True,
            "options": [{"value": "1", "label": "Yes"}, {"value": "0", "label": "No"}],
        },
    ],
}


@pytest.fixture
def requester(demo: dict[str, Any], api: Callable[[str], Api]) -> Api:
    return api(demo["tokens"]["requester"])


@pytest.fixture
def worker(demo: dict[str, Any], api: Callable[[str], Api]) -> Api:
    return api(demo["tokens"]["worker"])


@pytest.fixture
def geese(requester: Api) -> Iterator[str]:
    """The id of a published project with ten tasks that nobody has begun."""
    fields = {"title": "Geese on the meadow", "interface": INTERFACE, "reward": {"amount": 10, "currency": "USD"}}
    project = requester("POST", "/projects", {**fields, "instructions": "Look."})["id"]
    requester("POST", f"/projects/{project}/tasks", [{"input": {"name": f"goose {n}"}} for n in range(10)])
    requester("POST", f"/projects/{project}/publish")
    yield project
    requester("POST", f"/projects/{project}/close")


def submit(worker: Api, project: str) -> str:
    held: str = worker("POST", f"/projects/{project}/claim")["id"]
    worker("POST", f"/assignments/{held}/submit", {"answer": {"label": "1"}})
    return held


def open_page(browsers: Browsers, state: Any, address: str, width: int = 1280) -> Page:
    """The page at `address`, without a clock, once it is connected."""
    page = browsers.open(state=state, width=width)
    page.add_init_script(NO_CLOCK)
    return go(page, address)


def go(page: Page, address: str) -> Page:
    with page.expect_websocket() as waiting:
        page.goto(address)
    waiting.value.wait_for_event("framereceived", predicate=lambda frame: '"ready"' in str(frame))
    return page


def until(done: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def bell(page: Page) -> Locator:
    return page.get_by_role("link", name=re.compile("^Notifications"))


def test_progress_follows_and_looking_at_it_is_reading(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], requester: Api, worker: Api, geese: str
) -> None:
    page = open_page(browsers, demo["requester"], f"{stack.url}/projects/{geese}")
    expect(page.get_by_text("0 / 10")).to_be_visible()
    submit(worker, geese)
    expect(page.get_by_role("link", name="Review 1 answer")).to_be_visible()
    expect(page.get_by_text("1 / 10")).to_be_visible()

    def read_about_geese() -> bool:
        return any(each["subject"] == geese and each["read_at"] for each in requester("GET", "/notifications"))

    until(read_about_geese)


def test_unread_counts_agree_in_two_windows(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], requester: Api, worker: Api, geese: str
) -> None:
    requester("POST", "/notifications/read", {"up_to": 2**62})
    inbox = open_page(browsers, demo["requester"], f"{stack.url}/notifications?unread=1")
    other = inbox.context.new_page()
    other.add_init_script(NO_CLOCK)
    go(other, f"{stack.url}/account")
    expect(inbox.get_by_text("All is read")).to_be_visible()
    submit(worker, geese)
    for page in (inbox, other):
        expect(bell(page)).to_have_accessible_name("Notifications, 1 unread")
    expect(inbox.get_by_role("link", name="1 new answer in “Geese on the meadow”")).to_be_visible()
    submit(worker, geese)
    expect(inbox.get_by_role("link", name="2 new answers in “Geese on the meadow”")).to_be_visible()
    shoot(inbox, "live-inbox")
    inbox.get_by_role("button", name="Mark all as read").click()
    for page in (inbox, other):
        expect(bell(page)).to_have_accessible_name("Notifications")


def test_a_worker_sees_what_is_decided_while_they_look(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], requester: Api, worker: Api, geese: str
) -> None:
    one, two = submit(worker, geese), submit(worker, geese)
    work = open_page(browsers, demo["worker"], f"{stack.url}/work")
    task = work.context.new_page()
    task.add_init_script(NO_CLOCK)
    go(task, f"{stack.url}/assignments/{one}")
    expect(task.get_by_role("link", name="Back to my work")).to_be_visible()
    requester("POST", f"/assignments/{one}/send-back", {"comment": "Look behind the fence as well."})
    expect(work.get_by_role("listitem").filter(has_text="Look behind the fence")).to_be_visible()
    expect(task.get_by_text("Sent back by the requester.")).to_be_visible()
    expect(task.get_by_role("button", name="Submit again")).to_be_visible()

    earnings = work.context.new_page()
    earnings.add_init_script(NO_CLOCK)
    go(earnings, f"{stack.url}/earnings")
    expect(earnings.get_by_text("by project")).to_be_visible()
    before = earnings.get_by_role("main").inner_text()
    requester("POST", f"/assignments/{two}/accept")
    expect(earnings.get_by_role("main")).not_to_have_text(before)
    expect(earnings.get_by_role("main")).to_contain_text("Geese on the meadow")


def test_a_task_that_was_returned_elsewhere_says_so_and_keeps_what_was_entered(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], worker: Api, geese: str
) -> None:
    held = worker("POST", f"/projects/{geese}/claim")["id"]
    page = open_page(browsers, demo["worker"], f"{stack.url}/assignments/{held}")
    page.get_by_role("radio", name="Yes").check()
    worker("POST", f"/assignments/{held}/return", {})
    expect(page.get_by_role("alert")).to_contain_text("This was returned elsewhere")
    expect(page.get_by_role("radio", name="Yes")).to_be_checked()
    expect(page.get_by_role("button", name="Submit and next")).to_have_count(0)


def test_the_review_table_follows_without_moving_anything(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], requester: Api, worker: Api, geese: str
) -> None:
    one, two = submit(worker, geese), submit(worker, geese)
    page = open_page(browsers, demo["requester"], f"{stack.url}/projects/{geese}/review")
    rows = page.get_by_role("table").first.get_by_role("row")
    expect(rows).to_have_count(3)
    page.locator(f"tr[data-row='{two}']").get_by_role("button").click()
    page.get_by_role("button", name="Send back", exact=True).click()
    comment = page.get_by_label("What should be done again")
    comment.fill("Half a sentence about")
    submit(worker, geese)
    expect(page.get_by_text("One more answer has come in.")).to_be_visible()
    requester("POST", f"/assignments/{one}/accept")
    expect(page.locator(f"tr[data-row='{one}']")).to_contain_text("accepted")
    expect(rows).to_have_count(3)
    expect(page.locator(f"tr[data-row='{two}']")).to_have_attribute("aria-selected", "true")
    expect(comment).to_have_value("Half a sentence about")
    requester("POST", f"/assignments/{two}/accept")
    expect(page.get_by_text("This answer was changed meanwhile")).to_be_visible()
    expect(comment).to_have_value("Half a sentence about")


def test_a_page_says_when_it_is_cut_off_and_misses_nothing(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], requester: Api, worker: Api, geese: str
) -> None:
    requester("POST", "/notifications/read", {"up_to": 2**62})
    one = submit(worker, geese)
    page = open_page(browsers, demo["worker"], f"{stack.url}/work?state=submitted")
    row = page.get_by_role("listitem").filter(has=page.locator(f"a[href='/assignments/{one}']"))
    expect(row.first).to_be_visible()
    paused = page.get_by_text(re.compile("^Live updates paused"))
    expect(paused).to_have_count(0)
    with browsers.expecting(GONE):
        stack.kill_gateway()
        expect(paused).to_be_visible()
        shoot(page, "live-paused")
        requester("POST", f"/assignments/{one}/accept")
        stack.start_gateway()
        expect(paused).to_have_count(0)
    expect(row).to_have_count(0)
