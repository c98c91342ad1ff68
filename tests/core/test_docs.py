"""The page about the API: whole, readable by anyone, and needing nothing but this server."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from playwright.sync_api import expect, sync_playwright

from api.core.management.commands.openapi import FILE
from tests.accounts.test_browser import chromium, look

DESCRIPTION = yaml.safe_load(FILE.read_text())
OPERATIONS = [
    operation for item in DESCRIPTION["paths"].values() for operation in item.values() if "operationId" in operation
]


class _Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def text(client: Any) -> str:
    response = client.get("/api/docs")
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    return response.content.decode()


def test_every_operation_and_every_shape_is_there_once(text: str) -> None:
    ids = [attributes["id"] for _, attributes in _Elements(text).found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {operation["operationId"] for operation in OPERATIONS} <= set(ids)
    assert {f"shape-{name}" for name in DESCRIPTION["components"]["schemas"]} <= set(ids)


def test_every_link_within_the_page_leads_somewhere(text: str) -> None:
    elements = _Elements(text).found
    ids = {attributes.get("id") for _, attributes in elements}
    targets = {a["href"][1:] for tag, a in elements if tag == "a" and str(a.get("href")).startswith("#")}
    assert targets - ids == set()


def test_nothing_is_inline_and_nothing_comes_from_outside(text: str) -> None:
    for tag, attributes in _Elements(text).found:
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for name in ("src", "href"):
            assert re.match(r"(/(?!/)|#|$)", attributes.get(name) or ""), attributes


def test_scopes_problems_and_examples_are_told(text: str) -> None:
    for scope in DESCRIPTION["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]:
        assert f"<code>{scope}</code>" in text
    assert "no_task_left" in text
    assert "Idempotency-Key: $(uuidgen)" in text


def test_only_reading_it(client: Any) -> None:
    assert client.post("/api/docs").status_code == 405
    assert client.get("/api/docs/").status_code == 404


@pytest.mark.e2e
@pytest.mark.django_db(transaction=True)
def test_the_page_in_a_browser(live_server: Any) -> None:
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 360, "height": 740}).new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(f"{live_server.url}/api/docs#claim_next_task")
        assert page.locator("#claim_next_task").get_attribute("open") is not None
        page.evaluate("document.querySelectorAll('#publish_project, #shape-ProjectOut').forEach(e => e.open = true)")
        look(page)

        page.get_by_label("Find an operation").fill("post claim_")
        assert page.locator("#found").inner_text() == "2 found"
        assert page.locator(".operation[data-words]:visible").count() == 2
        page.get_by_role("link", name="claim_task").click()
        expect(page.locator("#claim_task")).to_have_attribute("open", "")
        page.goto(f"{live_server.url}/api/docs#get_purse")
        expect(page.locator("#get_purse")).to_have_attribute("open", "")
        assert page.locator("#get_purse").is_visible(), "what was looked for before does not hide it"
        page.locator("#get_purse").get_by_role("link", name="PurseOut").first.click()
        expect(page.locator("#shape-PurseOut")).to_have_attribute("open", "")
        browser.close()
    assert complaints == []
