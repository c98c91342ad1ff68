"""What requesters and workers write may not act on those who read it."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from bench.stack import Stack
from tests.e2e.conftest import Api, Browsers, serving, shoot, sign_up

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

# Tries what a thief would, notes how each try ended, and hands the notes in as the answer.
THIEF = """
<h1>A very ordinary task</h1>
<button type="button" id="done">Done</button>
<script>
const base = '{base}'
const found = {}
const attempt = (name, theft) => {
  try { found[name] = `got ${theft()}` } catch (refusal) { found[name] = `refused: ${refusal.name}` }
}
attempt('own origin', () => self.origin)
attempt('page', () => parent.document.documentElement.outerHTML)
attempt('token', () => parent.angular.element(parent.document.body).injector().get('session').tokens.access_token)
attempt('its storage', () => parent.localStorage.getItem('guildhall.was-signed-in'))
attempt('its tab storage', () => parent.sessionStorage.length)
attempt('cookies', () => document.cookie)
attempt('storage', () => localStorage.length)
attempt('navigation', () => { top.location = 'https://thief.example/' })
attempt('opener', () => top.location.href)
attempt('window', () => window.open(`${base}/account`).document.title)
const call = (name, path, options) => fetch(base + path, { credentials: 'include', ...options })
  .then((answer) => answer.text().then((text) => { found[name] = `got ${answer.status} ${text.slice(0, 200)}` }))
  .catch((refusal) => { found[name] = `refused: ${refusal.name}` })
const ended = Promise.all([
  call('api', '/api/v1/me'),
  call('own data', '/api/v1/me/export'),
  call('account page', '/accounts/email/'),
  call('authorisation', '/oauth/authorize?response_type=code&client_id=guildhall-web'),
])
document.getElementById('done').addEventListener('click', () => ended.then(() => {
  const answer = { found: JSON.stringify(found) }
  if (window.guildhall) guildhall.submit(answer)
  else parent.postMessage({ guildhall: 1, type: 'submit', answer }, '*')
}))
</script>
"""
ONE_TEXT = {"type": "object", "properties": {"found": {"type": "string"}}, "required": ["found"]}
NOTHING = {"type": "object", "properties": {}}
REFUSED = {
    "page",
    "token",
    "its storage",
    "its tab storage",
    "cookies",
    "storage",
    "navigation",
    "opener",
    "window",
    "api",
    "own data",
    "account page",
    "authorisation",
}


SCRIPT = "<script>window.taken = 1</script>"
IMAGE = '<img src="x" onerror="window.taken = 1">'
SUM = "{{7*7}}"
EVIL = f"{SUM} {SCRIPT} {IMAGE}"
LINK = "javascript:window.taken=1"
MARKDOWN = f"{EVIL}\n\n[a link]({LINK}) <a href='{LINK}'>another</a> <svg onload='window.taken=1'></svg>"


@pytest.fixture(scope="module")
def mallory(stack: Stack, chromium: Browser) -> Iterator[tuple[Api, Any]]:
    """A requester with money and a name that is an attack: the API as them, and their browser's state."""
    context = chromium.new_context()
    token = sign_up(context.new_page(), stack.url, f"M {SUM} {SCRIPT}", "both", "mallory@example.org")
    api = Api(context, stack.url, token)
    (purse,) = api("GET", "/purses")
    api("POST", f"/purses/{purse['id']}/deposit", {"amount": {"amount": 1000, "currency": "USD"}})
    yield api, context.storage_state()
    context.close()


@pytest.fixture
def requester(mallory: tuple[Api, Any]) -> Api:
    return mallory[0]


def publish(requester: Api, inputs: list[dict[str, Any]], **fields: Any) -> str:
    """A published project with these inputs. Returns its id."""
    reward = {"amount": 5, "currency": "USD"}
    project: str = requester("POST", "/projects", {"reward": reward, "assignments_per_task": 2, **fields})["id"]
    requester("POST", f"/projects/{project}/tasks", [{"input": each} for each in inputs])
    requester("POST", f"/projects/{project}/publish")
    return project


def do_one_task(page: Page, base: str, project: str) -> str:
    """The worker presses the frame's own button. Returns the token that their browser used."""
    tokens: list[str] = []
    page.on("request", lambda call: tokens.append(call.headers.get("authorization", "")))
    page.goto(f"{base}/feed/{project}")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Submit and next")).to_be_visible()
    page.frame_locator("iframe").get_by_role("button", name="Done").click()
    expect(page.get_by_text("No task is left for you here")).to_be_visible()
    assert page.url.startswith(base)
    return next(token for token in tokens if token.startswith("Bearer ")).removeprefix("Bearer ")


def loot(requester: Api, project: str) -> dict[str, str]:
    (answer,) = requester("GET", f"/projects/{project}/assignments?state=submitted")
    found: dict[str, str] = json.loads(answer["answer"]["found"])
    return found


def expect_nothing_stolen(found: dict[str, str], token: str) -> None:
    assert found.pop("own origin") == "got null"
    assert {name for name, end in found.items() if end.startswith("refused: ")} == REFUSED, found
    assert token not in json.dumps(found)


def test_own_html_reaches_nothing_but_its_answer(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], requester: Api
) -> None:
    project = publish(
        requester,
        [{}],
        title="Own HTML",
        interface={"kind": "html", "html": THIEF.replace("{base}", stack.url)},
        input_schema=NOTHING,
        answer_schema=ONE_TEXT,
    )
    page = browsers.open(state=demo["worker"], strict=False)
    token = do_one_task(page, stack.url, project)
    expect_nothing_stolen(loot(requester, project), token)


def test_an_external_page_reaches_nothing_but_its_answer(
    stack: Stack, browsers: Browsers, demo: dict[str, Any], requester: Api, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text(f"<!doctype html><title>Task</title>{THIEF.replace('{base}', stack.url)}")
    with serving(tmp_path) as origin:
        project = publish(
            requester,
            [{"number": 7}],
            title="External page",
            interface={"kind": "url", "url": f"{origin}/?number={{number}}"},
            input_schema={"type": "object", "properties": {"number": {"type": "integer"}}},
            answer_schema=ONE_TEXT,
        )
        page = browsers.open(state=demo["worker"], strict=False)
        addresses: list[str] = []
        page.on("request", lambda call: addresses.append(call.url))
        token = do_one_task(page, stack.url, project)
    assert f"{origin}/?number=7" in addresses
    expect_nothing_stolen(loot(requester, project), token)


@pytest.fixture
def written(requester: Api) -> str:
    """A project in which every text is an attack."""
    option = {"value": EVIL, "label": f"Option {EVIL}"}
    elements = [
        {"show": "text", "from": "text", "label": f"Label {EVIL}"},
        {"show": "markdown", "from": "markdown"},
        {"show": "link", "from": "link", "label": "A link"},
        {"show": "image", "from": "link", "alt": f"Alt {EVIL}"},
        {
            "ask": "choice",
            "key": "choice",
            "label": f"Choice {EVIL}",
            "options": [option, {"value": "b", "label": "B"}],
        },
        {"ask": "text", "key": "note", "label": f"Note {EVIL}", "help": f"Help {EVIL}", "multiline": True},
    ]
    text = {"type": "string"}
    return publish(
        requester,
        [{"text": f"Input {EVIL}", "markdown": MARKDOWN, "link": LINK}] * 2,
        title=f"Title {EVIL}",
        summary=f"Summary {EVIL}",
        instructions=f"Instructions {MARKDOWN}",
        keywords=[SUM],
        expected_minutes=0.05,
        interface={"kind": "elements", "elements": elements},
        input_schema={"type": "object", "properties": {"text": text, "markdown": text, "link": text}},
        answer_schema={"type": "object", "properties": {"choice": text, "note": text}},
    )


@pytest.fixture
def reader(browsers: Browsers) -> Iterator[Callable[[Any], Page]]:
    """`reader(state)`: a window in which nothing may pop up."""
    dialogs: list[str] = []

    def heard(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    def make(state: Any) -> Page:
        page = browsers.open(state=state)
        page.on("dialog", heard)
        return page

    yield make
    assert dialogs == []


def expect_text_only(page: Page, *seen: str) -> None:
    """`seen` stands on the page letter by letter, and nothing of it has become an element that acts."""
    main = page.get_by_role("main")
    for text in seen:
        expect(main.get_by_text(text).first).to_be_visible()
    assert page.evaluate("window.taken") is None
    for selector in (
        "script",
        "img[src=x]",
        "[onerror]",
        "[onload]",
        "svg[onload]",
        "a[href^='javascript:' i]",
        "iframe",
    ):
        assert main.locator(selector).count() == 0, f"{page.url}: {selector}"


def test_what_people_write_stays_text(
    stack: Stack,
    browsers: Browsers,
    demo: dict[str, Any],
    mallory: tuple[Api, Any],
    written: str,
    reader: Callable[[Any], Page],
) -> None:
    with browsers.expecting("Loading the image '(unsafe:)?javascript:|Failed to load resource: net::ERR_NAME"):
        worker = reader(demo["worker"])
        worker.goto(f"{stack.url}/")
        expect_text_only(worker, f"Title {EVIL}")
        worker.goto(f"{stack.url}/feed")
        expect_text_only(worker, f"Title {EVIL}", f"Summary {EVIL}", SUM)
        worker.goto(f"{stack.url}/feed/{written}")
        expect_text_only(
            worker, f"Title {EVIL}", f"Instructions {SUM}", f"Input {EVIL}", f"Choice {EVIL}", f"Option {EVIL}"
        )
        worker.get_by_role("button", name="Start").click()
        expect(worker.get_by_role("button", name="Submit and next")).to_be_visible()
        worker.get_by_label(f"Note {EVIL}").fill(EVIL)
        worker.get_by_role("radio", name=f"Option {EVIL}").check()
        expect_text_only(
            worker, f"Title {EVIL}", f"Instructions {SUM}", f"Input {EVIL}", f"Label {EVIL}", f"Help {EVIL}"
        )
        at = worker.url
        worker.get_by_role("button", name="Submit and next").click()
        expect(worker).not_to_have_url(at)
        (answer,) = mallory[0]("GET", f"/projects/{written}/assignments?state=submitted")
        assert answer["answer"] == {"choice": EVIL, "note": EVIL}
        worker.goto(f"{stack.url}/work")
        expect_text_only(worker, f"Title {EVIL}")
        worker.goto(at)
        expect_text_only(worker, f"Title {EVIL}", f"Input {EVIL}")
        owner = reader(mallory[1])
        for path, seen in (
            ("/", [f"Title {EVIL}", f"M {SUM} {SCRIPT}"]),
            ("/projects", [f"Title {EVIL}", f"M {SUM} {SCRIPT}"]),
            (f"/projects/{written}", [f"Title {EVIL}", f"Summary {EVIL}"]),
            (f"/projects/{written}/review", [f"Title {EVIL}", f"Option {EVIL}", EVIL, f"Input {EVIL}"]),
            (f"/projects/{written}/results", [f"Title {EVIL}", EVIL]),
            (f"/projects/{written}/edit?step=interface", [f"Title {EVIL}", f"Choice {EVIL}"]),
            (f"/projects/{written}/edit?step=publish", [f"Title {EVIL}", f"Instructions {SUM}", f"Option {EVIL}"]),
            ("/purses", [f"M {SUM} {SCRIPT}", f"Title {EVIL}"]),
        ):
            owner.goto(stack.url + path)
            expect_text_only(owner, *seen)
            shoot(owner, f"evil{re.sub(written, 'x', path).replace('/', '-')}")
