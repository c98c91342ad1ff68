"""Two people who write to each other: at once while both are there, later when one was away, and each message once."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from bench.stack import Stack
from tests.e2e.conftest import Api, Browsers

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

DUCKS = "Is there a duck in the picture?"


@pytest.fixture
def work(demo: dict[str, Any], api: Callable[[str], Api]) -> dict[str, str]:
    """Ids of the project and of an assignment that the demo's worker has just taken."""
    worker = api(demo["tokens"]["worker"])
    projects = {project["title"]: project for project in api(demo["tokens"]["requester"])("GET", "/projects")}
    project = projects[DUCKS]["id"]
    return {"project": project, "assignment": worker("POST", f"/projects/{project}/claim")["id"]}


def write(page: Page | Locator, text: str) -> None:
    page.get_by_placeholder("Write a message").fill(text)
    page.get_by_placeholder("Write a message").press("Control+Enter")


def said(page: Page | Locator, text: str) -> Locator:
    return page.get_by_role("log").get_by_role("listitem").filter(has_text=text)


def test_worker_and_requester_talk_and_nothing_is_lost_or_doubled(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], work: dict[str, str]
) -> None:
    worker = browsers.open(state=demo["worker"], width=360)
    worker.goto(f"{stack.url}/assignments/{work['assignment']}")
    worker.get_by_role("button", name="Messages about this").click()
    beside = worker.get_by_role("region", name="Messages about this")
    write(beside, "Is a *decoy* a duck?")
    expect(said(beside, "Is a decoy a duck?")).to_have_count(1)

    # The requester was away meanwhile, and finds it.
    requester = browsers.open(state=demo["requester"])
    requester.goto(f"{stack.url}/messages")
    conversation = requester.get_by_role("link", name="Is a *decoy* a duck?")
    expect(conversation).to_contain_text(re.compile(r"Worker [A-Z0-9]{8}"))
    conversation.click()
    thread = requester.get_by_role("region", name=re.compile("^Worker "))
    expect(said(thread, "Is a decoy a duck?")).to_have_count(1)
    expect(requester.locator("main")).not_to_contain_text("Ana")
    expect(requester.get_by_role("link", name="Messages", exact=True)).to_be_visible()

    # Both are there.
    write(thread, "No, it is not.\n\nSee https://docs.example.org/decoys.pdf")
    expect(said(beside, "No, it is not.")).to_have_count(1)
    expect(said(beside, "No, it is not.")).to_contain_text("docs.example.org")
    thread.get_by_placeholder("Write a message").type("And")
    expect(beside.get_by_role("status")).to_contain_text("is typing")
    thread.get_by_placeholder("Write a message").fill("")
    expect(thread.get_by_text("online")).to_be_visible(timeout=40_000)

    # The connection breaks under a message; it is kept, and sent once.
    with browsers.expecting("Failed to load resource: net::|WebSocket connection"):
        worker.context.set_offline(True)
        write(beside, "Thank you!")
        expect(said(beside, "Thank you!")).to_contain_text("Not sent")
        worker.context.set_offline(False)
        beside.get_by_role("button", name="Try again").click()
        expect(said(beside, "Thank you!")).not_to_contain_text(re.compile("Sending|Not sent"))
    expect(said(thread, "Thank you!")).to_have_count(1)

    # The worker is away, and has it later.
    worker.goto("about:blank")
    write(thread, "You are welcome.")
    expect(said(thread, "You are welcome.")).to_have_count(1)
    worker.goto(f"{stack.url}/work")
    unread = worker.get_by_role("link", name=re.compile(r"^Messages, 1 unread"))
    expect(unread).to_be_visible()
    unread.click()
    worker.get_by_role("link", name="You are welcome.").click()
    expect(said(worker, "You are welcome.")).to_have_count(1)
    expect(worker.get_by_role("link", name="Messages", exact=True)).to_be_visible()


def test_what_is_sent_while_the_gateway_is_down_arrives_later_and_once(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], work: dict[str, str], api: Callable[[str], Api]
) -> None:
    worker, requester = (api(demo["tokens"][role]) for role in ("worker", "requester"))
    about = {"kind": "assignment", "id": work["assignment"]}
    thread = worker("POST", "/threads", {"about": about, "body": "Is anybody there?"})["thread"]["id"]
    page = browsers.open(state=demo["worker"])
    page.goto(f"{stack.url}/messages/{thread}")
    expect(said(page, "Is anybody there?")).to_have_count(1)
    assert stack.gateway is not None
    with browsers.expecting("WebSocket connection"):
        stack.gateway.kill()
        stack.gateway.wait()
        try:
            key = {"Idempotency-Key": f"while-down-{thread}"}
            for _ in range(2):
                requester("POST", f"/threads/{thread}/messages", {"body": "While it was down"}, headers=key)
            # Without the socket the page looks by itself.
            expect(said(page, "While it was down")).to_have_count(1, timeout=60_000)
        finally:
            stack.start_gateway()
        requester("POST", f"/threads/{thread}/messages", {"body": "And it is back"})
        expect(said(page, "And it is back")).to_have_count(1, timeout=60_000)
    expect(said(page, "While it was down")).to_have_count(1)


def test_a_draft_survives_a_reload_and_an_announcement_reaches_who_works(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], work: dict[str, str]
) -> None:
    requester = browsers.open(state=demo["requester"])
    requester.goto(f"{stack.url}/projects/{work['project']}")
    announce = requester.get_by_role("region", name="Announcements")
    box = announce.get_by_label("Tell everybody who works on it")
    box.fill("Decoys are **not** ducks.")
    requester.reload()
    expect(box).to_have_value("Decoys are **not** ducks.")
    announce.get_by_role("button", name="Announce").click()
    expect(announce.get_by_role("listitem")).to_contain_text("Decoys are not ducks.")

    worker = browsers.open(state=demo["worker"])
    worker.goto(f"{stack.url}/messages")
    worker.get_by_role("link", name="Decoys are **not** ducks.").click()
    expect(said(worker, "Decoys are not ducks.")).to_have_count(1)
    expect(worker.get_by_text("Only the requester writes here.")).to_be_visible()
    worker.goto(f"{stack.url}/feed/{work['project']}")
    expect(worker.get_by_role("region", name="Announcements")).to_contain_text("Decoys are not ducks.")


def test_a_worker_searches_mutes_blocks_and_reports(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], work: dict[str, str], api: Callable[[str], Api]
) -> None:
    requester = api(demo["tokens"]["requester"])
    body = {"about": {"kind": "assignment", "id": work["assignment"]}, "body": "Send me your **bank details**, quickly"}
    thread = requester("POST", "/threads", body)["thread"]["id"]
    page = browsers.open(state=demo["worker"])
    page.goto(f"{stack.url}/messages")
    page.get_by_label("Search messages").fill('"bank details"')
    page.get_by_role("button", name="Search").click()
    expect(page.locator("mark").first).to_have_text(re.compile("bank"))
    page.locator("mark").first.click()
    expect(page).to_have_url(re.compile(thread))
    page.get_by_role("button", name=re.compile("^Report the message")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What is the matter").select_option("private")
    dialog.get_by_role("button", name="Report").click()
    expect(page.get_by_text("The operators will look at it.")).to_be_visible()
    page.get_by_label("More about this conversation").click()
    page.get_by_role("button", name="Mute").click()
    expect(page.get_by_text("This conversation is muted")).to_be_visible()
    page.get_by_label("More about this conversation").click()
    page.get_by_role("button", name="Block…").click()
    page.get_by_role("dialog").get_by_role("button", name="Block").click()
    expect(page.get_by_text("You have blocked them")).to_be_visible()
    refused = requester("POST", f"/threads/{thread}/messages", {"body": "Hello?"}, status=403)
    assert refused["code"] == "blocked"
    page.get_by_role("button", name="Unblock").click()
    expect(page.get_by_placeholder("Write a message")).to_be_visible()
