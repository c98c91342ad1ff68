"""Every page: at two widths, light and dark, by keyboard, while it loads, when it fails, and with nothing on it."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from bench.stack import Stack
from tests.e2e.conftest import CLIENT, Api, Browsers, shoot, sign_up

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

AXE = (CLIENT / "node_modules" / "axe-core" / "axe.min.js").read_text()
RUN_AXE = """
axe.run(document, { iframes: false }).then((found) => found.violations.map((each) => [
  each.id, each.nodes.slice(0, 3).map((node) => [node.target.join(' '), node.any.map((why) => why.message).join('; ')]),
]))
"""
# What the Tab key should stop at, and whether the focus can be seen there.
STOPS = """
() => [...(document.querySelector('dialog[open]') ?? document).querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex="0"]')]
  .filter((each) =>
  !each.disabled && each.tabIndex >= 0 && each.type !== 'hidden' && !each.closest('[hidden], dialog:not([open])')
  && each.getClientRects().length && !(each.closest('details:not([open])') && each.tagName !== 'SUMMARY')
  && !(each.type === 'radio' && (each.checked ? false : document.querySelector(`input[name="${each.name}"]:checked`)
    || each !== document.querySelector(`input[name="${each.name}"]`))))
"""
MISSED = f"({STOPS.strip()})().filter((each) => !each.dataset.stopped).map((each) => each.outerHTML.slice(0, 160))"
STOPS = f"({STOPS.strip()})().length"
FOCUSED = """
() => {
  const it = document.activeElement
  if (!it || it === document.body || it.tagName === 'IFRAME') return null
  it.dataset.stopped ??= String(document.querySelectorAll('[data-stopped]').length)
  const near = [it, it.closest('label'), it.nextElementSibling].filter(Boolean)
  const shown = near.some((each) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(each)
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
  })
  return { which: Number(it.dataset.stopped), shown, what: it.outerHTML.slice(0, 160) }
}
"""
FAILURE = {"type": "about:blank", "title": "Broken", "status": 500, "code": "error", "request_id": "number-for-you"}
FAILURE["detail"] = "The test has broken this."


@dataclass(frozen=True)
class Place:
    """A page of the client: who opens it, where, and what it says when it is all there."""

    name: str
    who: str
    path: str
    says: str
    act: Callable[[Page], None] | None = None
    loads: bool = True


def press(name: str, within: str = "main") -> Callable[[Page], None]:
    return lambda page: page.get_by_role(within).get_by_role("button", name=name).first.click()  # type: ignore[arg-type]


def open_first_answer(page: Page) -> None:
    page.get_by_role("table").first.get_by_role("button").first.click()
    expect(page.get_by_role("heading", name=re.compile("^Task .*, worker"))).to_be_visible()


def open_sending_back(page: Page) -> None:
    open_first_answer(page)
    page.get_by_role("button", name="Send back").click()
    expect(page.get_by_label("Time to do it")).to_have_value("number:86400")
    expect(page.get_by_text("this leaves 2 more")).to_be_visible()


def ask_to_accept_many(page: Page) -> None:
    press("Accept all")(page)
    expect(page.get_by_role("dialog")).to_contain_text("submitted answers")


def ask_to_decide_many(name: str) -> Callable[[Page], None]:
    """Open the dialog and send it as it is, so that it says what is missing."""

    def act(page: Page) -> None:
        press(f"{name} all")(page)
        page.get_by_role("dialog").get_by_role("button", name=re.compile(rf"^{name} .*\d$")).click()
        expect(page.get_by_role("dialog")).to_contain_text("more characters.")

    return act


def open_element(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^asks")).first.click()
    expect(page.get_by_label("Name in the results")).to_be_visible()


PLACES = [
    Place("welcome", "nobody", "/", "Crowd work, governed by the people who do it", loads=False),
    Place("not-found", "nobody", "/no/such/page", "There is no such page", loads=False),
    Place("home", "worker", "/", "Best paid now"),
    Place("feed", "worker", "/feed", "Is there a duck in the picture?"),
    Place("feed-nothing", "worker", "/feed?q=zebra", "Nothing fits", loads=False),
    Place("preview", "worker", "/feed/{ducks}", "An example"),
    Place("task", "worker", "/assignments/{held}", "Submit and next"),
    Place("task-sent-back", "worker", "/assignments/{sent_back}", "Sent back by the requester.", loads=False),
    Place("task-rejected", "worker", "/assignments/{rejected}", "The stone is not a duck", loads=False),
    Place("task-accepted", "worker", "/assignments/{accepted}", "Back to my work", loads=False),
    Place("work", "worker", "/work", "Go on"),
    Place("work-rejected", "worker", "/work?state=rejected", "The stone is not a duck", loads=False),
    Place("earnings", "worker", "/earnings", "in all"),
    Place("home-requester", "requester", "/", "Answers to review", loads=False),
    Place("projects", "requester", "/projects", "Is there a duck in the picture?"),
    Place("projects-nothing", "requester", "/projects?q=zebra", "Nothing matches", loads=False),
    Place("project-new", "requester", "/projects/new", "Start from", loads=False),
    Place("project", "requester", "/projects/{ducks}", "Answers over time"),
    Place("project-close", "requester", "/projects/{ducks}", "Answers over time", press("Close"), loads=False),
    Place("project-draft", "requester", "/projects/{draft}", "This is a draft."),
    Place("version", "requester", "/projects/{ducks}/versions/2", "What changed against version 1"),
    Place("version-first", "requester", "/projects/{ducks}/versions/1", "Version 1", loads=False),
    Place("version-draft", "requester", "/projects/{draft}/versions/1", "not yet published", loads=False),
    Place("version-none", "requester", "/projects/{ducks}/versions/99", "There is no such version", loads=False),
    Place("edit-describe", "requester", "/projects/{draft}/edit", "Describe the work"),
    Place("edit-interface", "requester", "/projects/{draft}/edit?step=interface", "Show the worker", loads=False),
    Place("edit-element", "requester", "/projects/{draft}/edit?step=interface", "Show the worker", open_element, False),
    Place("edit-tasks", "requester", "/projects/{draft}/edit?step=tasks", "Choose a file", loads=False),
    Place("edit-price", "requester", "/projects/{draft}/edit?step=price", "What it costs", loads=False),
    Place("edit-publish", "requester", "/projects/{draft}/edit?step=publish", "What a worker does", loads=False),
    Place("edit-published", "requester", "/projects/{ducks}/edit?step=publish", "No changes to publish", loads=False),
    Place("review", "requester", "/projects/{ducks}/review", "waiting"),
    Place("review-open", "requester", "/projects/{ducks}/review", "waiting", open_first_answer, False),
    Place("review-back", "requester", "/projects/{ducks}/review?state=submitted", "waiting", open_sending_back, False),
    Place("review-many", "requester", "/projects/{ducks}/review", "waiting", ask_to_accept_many, False),
    Place(
        "review-reject-many", "requester", "/projects/{ducks}/review", "waiting", ask_to_decide_many("Reject"), False
    ),
    Place("review-send-many", "requester", "/projects/{ducks}/review", "waiting", ask_to_decide_many("Send"), False),
    Place("review-nothing", "requester", "/projects/{ducks}/review?worker=NOBODY42", "No answer matches", loads=False),
    Place("results", "requester", "/projects/{ducks}/results", "Krippendorff"),
    Place(
        "results-model", "requester", "/projects/{ducks}/results?aggregate=dawid_skene", "log-likelihood", loads=False
    ),
    Place("purse", "requester", "/purses", "Into escrow"),
    Place("deposit", "requester", "/purses", "Into escrow", press("Deposit"), False),
    Place("payout", "requester", "/purses", "Into escrow", press("Pay out"), False),
    Place("notifications", "worker", "/notifications", "was sent back to you"),
    Place("notifications-requester", "requester", "/notifications", "new answer", loads=False),
    Place("notifications-nothing", "newcomer", "/notifications", "Nothing yet", loads=False),
    Place("notifications-read", "newcomer", "/notifications?unread=1", "All is read", loads=False),
    Place("messages", "worker", "/messages", "Is a decoy a duck?"),
    Place("messages-thread", "requester", "/messages/{thread}", "Ctrl and Enter sends", loads=False),
    Place("messages-beside", "worker", "/assignments/{held}", "Messages about this", press("Messages about"), False),
    Place("messages-nothing", "newcomer", "/messages", "No messages yet", loads=False),
    Place("messages-settings", "newcomer", "/messages/settings", "once a day at most", loads=False),
    Place("account", "requester", "/account", "What you use Guildhall for", loads=False),
    Place("account-security", "requester", "/account/security", "Passkeys", loads=False),
    Place("account-sessions", "requester", "/account/sessions", "this browser"),
    Place("account-applications", "requester", "/account/applications", "part of Guildhall"),
    Place("account-own-applications", "newcomer", "/account/own-applications", "Nina's script"),
    Place("account-register", "newcomer", "/account/own-applications", "Nina's script", press("Register one"), False),
    Place("account-data", "requester", "/account/data", "Take it out", loads=False),
    Place("account-close", "newcomer", "/account/data", "Take it out", press("Close my account"), False),
    Place("work-nothing", "newcomer", "/work", "Nothing in hand", loads=False),
    Place("earnings-nothing", "newcomer", "/earnings", "Nothing earned yet", loads=False),
    Place("projects-none", "newcomer", "/projects", "No project yet", loads=False),
    Place("purse-nothing", "newcomer", "/purses", "Nothing has moved yet", loads=False),
]
SERVER_PAGES = [
    ("nobody", "/accounts/signup/", "Make an account"),
    ("nobody", "/accounts/login/", "Sign in"),
    ("nobody", "/accounts/password/reset/", "Forgotten your password?"),
    ("nobody", "/accounts/password/reset/done/", ""),
    ("nobody", "/accounts/password/reset/key/1-set-password/", ""),
    ("nobody", "/accounts/confirm-email/", "Confirm"),
    ("nobody", "/accounts/confirm-email/no-such-key/", ""),
    ("nobody", "/accounts/no/such/page/", "There is no such page"),
    ("nobody", "/oauth/authorize?client_id=nobody", ""),
    ("newcomer", "{consent}", "Let Nina's script in?"),
    ("newcomer", "/accounts/email/", ""),
    ("newcomer", "/accounts/password/change/", ""),
    ("newcomer", "/accounts/sessions/", ""),
    ("newcomer", "/accounts/logout/", "Sign out"),
    ("newcomer", "/accounts/2fa/", ""),
    ("newcomer", "/accounts/2fa/totp/activate/", ""),
    ("newcomer", "/accounts/2fa/webauthn/add/", ""),
    ("newcomer", "/accounts/reauthenticate/", ""),
]


CSV = {"Content-Type": "text/csv"}
BIRDS = {
    "title": "Which birds are on the pond?",
    "summary": "Say what swims between the reeds.",
    "instructions": "Look at the **whole** picture.\n\n1. First the water\n2. Then the reeds",
    "keywords": ["birds", "pond"],
    "reward": {"amount": 12, "currency": "USD"},
    "expected_minutes": 0.5,
    "interface": {
        "kind": "elements",
        "elements": [
            {"show": "image", "from": "picture", "alt": "A pond with reeds"},
            {
                "ask": "choices",
                "key": "birds",
                "label": "Which birds do you see?",
                "required": True,
                "options": [{"value": "duck", "label": "A duck"}, {"value": "swan", "label": "A swan"}],
            },
            {"ask": "scale", "key": "sure", "label": "How sure are you?", "min": 1, "max": 5, "min_label": "guessing"},
            {
                "ask": "ranking",
                "key": "size",
                "label": "From large to small",
                "options": [{"value": "swan", "label": "Swan"}, {"value": "duck", "label": "Duck"}],
            },
            {"ask": "number", "key": "count", "label": "How many?", "min": 0},
            {"ask": "date", "key": "day", "label": "When was it taken?"},
            {"ask": "text", "key": "note", "label": "Anything to add?", "multiline": True},
        ],
    },
}


@pytest.fixture(scope="module")
def people(stack: Stack, chromium: Browser, demo: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Browser states by role, and what the addresses of the pages are filled with."""
    context = chromium.new_context()
    nina = Api(context, stack.url, sign_up(context.new_page(), stack.url, "Nina", "both"))
    worker, requester = (Api(context, stack.url, demo["tokens"][role]) for role in ("worker", "requester"))
    redirect = "https://script.example/back"
    application = {"name": "Nina's script", "client_type": "public", "redirect_uris": [redirect]}
    application["grant_types"] = ["authorization_code"]
    client = nina("POST", "/applications", application)["client_id"]
    consent = urlencode(
        {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": redirect,
            "state": "1",
            "scope": "account:read work:read",
            "code_challenge": "x" * 43,
            "code_challenge_method": "S256",
        }
    )
    projects = {project["title"]: project for project in requester("GET", "/projects")}
    ducks = projects["Is there a duck in the picture?"]["id"]
    draft = requester("POST", "/projects", BIRDS)["id"]
    lines = "picture\n" + "/demo/pond-01.svg\n" * 3 + "\n,,\n"
    requester("POST", f"/projects/{draft}/tasks?on_error=keep&filename=birds.csv", lines.encode(), headers=CSV)
    told = requester("GET", f"/projects/{ducks}")["published"]["instructions"]
    requester("PATCH", f"/projects/{ducks}", {"instructions": f"{told}\n\nA decoy is no duck.", "claim_lasts": 1200})
    requester("POST", f"/projects/{ducks}/publish")
    held, sent_back, rejected = (worker("POST", f"/projects/{ducks}/claim")["id"] for _ in range(3))
    for identifier in (sent_back, rejected):
        worker("POST", f"/assignments/{identifier}/submit", {"answer": {"label": "duck"}})
    requester("POST", f"/assignments/{sent_back}/send-back", {"comment": "Please look between the reeds as well."})
    reason = "The stone is not a duck, as the instructions say."
    requester("POST", f"/assignments/{rejected}/reject", {"category": "wrong", "reason": reason})
    asked = worker("POST", "/threads", {"about": {"kind": "assignment", "id": held}, "body": "Is a decoy a duck?"})
    yield {
        **demo,
        "thread": asked["thread"]["id"],
        "newcomer": context.storage_state(),
        "consent": f"/oauth/authorize?{consent}",
        "ducks": ducks,
        "draft": draft,
        "held": held,
        "sent_back": sent_back,
        "rejected": rejected,
        "accepted": worker("GET", "/assignments?state=accepted&limit=1")[0]["id"],
    }
    context.close()


def test_the_list_of_pages_is_whole() -> None:
    """Every route of the client is opened by a test here."""
    opened = [place.path.partition("?")[0] for place in PLACES]
    for module in (CLIENT / "src").rglob("*.module.js"):
        for route in re.findall(r"\.when\('([^']+)'", module.read_text()):
            if route in {"/signed-in", "/purses/:id"}:  # passed through by everybody; where /purses leads to
                continue
            pattern = re.compile(re.sub(r":\w+", r"(\\{\\w+\\}|\\w+)", route) + "$")
            assert any(pattern.match(path) for path in opened), f"{route} of {module.name} is not looked at"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_page_of_the_client(place: Place, stack: Stack, browsers: Browsers, people: dict[str, Any]) -> None:
    page = browsers.open(state=people[place.who], width=360)
    page.goto(stack.url + place.path.format(**people))
    expect_there(page, place)
    if place.act:
        place.act(page)
    look(page, place.name, 360)
    page.set_viewport_size({"width": 1280, "height": 860})
    look(page, place.name, 1280)
    walk(page)


def test_many_answers_are_rejected_by_keyboard(
    stack: Stack, browsers: Browsers, people: dict[str, Any], api: Callable[[str], Api]
) -> None:
    worker = api(people["tokens"]["worker"])
    for _ in range(2):
        held = worker("POST", f"/projects/{people['ducks']}/claim")["id"]
        worker("POST", f"/assignments/{held}/submit", {"answer": {"label": "duck", "note": "for the many"}})
    page = browsers.open(state=people["requester"])
    page.goto(f"{stack.url}/projects/{people['ducks']}/review?q=for+the+many")
    rows = page.get_by_role("table").first.get_by_role("row", name="for the many")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Reject them…").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 submitted answers that contain “for the many” will be rejected")
    expect(dialog.get_by_label("What is the matter")).to_be_focused()
    page.keyboard.type("The answer is wrong")
    page.keyboard.press("Tab")
    page.keyboard.type("No picture of these shows a duck.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("2 answers rejected.")).to_be_visible()
    expect(dialog).to_have_count(0)
    expect(rows.filter(has_text="rejected")).to_have_count(2)


@pytest.mark.parametrize(("who", "path", "says"), SERVER_PAGES, ids=[path for _, path, _ in SERVER_PAGES])
def test_a_page_of_the_server(
    who: str, path: str, says: str, stack: Stack, browsers: Browsers, people: dict[str, Any]
) -> None:
    page = browsers.open(state=people[who], width=360)
    with browsers.expecting("Failed to load resource: the server responded with a status of 40[34] "):
        page.goto(stack.url + path.format(**people))
        expect(page.get_by_role("main")).to_contain_text(says)
        name = "server" + re.sub(r"\W+", "-", path)
        look(page, name, 360)
        page.set_viewport_size({"width": 1280, "height": 860})
        look(page, name, 1280)
        walk(page)


@pytest.mark.parametrize("place", [place for place in PLACES if place.loads], ids=lambda place: place.name)
def test_a_page_that_waits_and_a_page_that_fails(
    place: Place, stack: Stack, browsers: Browsers, people: dict[str, Any]
) -> None:
    page = browsers.open(state=people[place.who], width=360)
    held: list[Route] = []
    mode = "hold"

    def handle(route: Route) -> None:
        if mode == "hold":
            held.append(route)
        elif mode == "fail":
            route.fulfill(status=500, content_type="application/problem+json", body=json.dumps(FAILURE))
        else:
            route.continue_()

    page.route(re.compile(r"/api/v1/(?!me$)"), handle)
    page.goto(stack.url + place.path.format(**people))
    expect(page.get_by_text("Loading…").first).to_be_visible()
    look(page, f"{place.name}-loading", 360, ["dark"])
    with browsers.expecting("Failed to load resource: the server responded with a status of 500 "):
        mode = "fail"
        for route in held:
            handle(route)
        expect(page.get_by_role("alert").first).to_contain_text("The test has broken this.")
        expect(page.get_by_role("alert").first).to_contain_text("number-for-you")
        look(page, f"{place.name}-failed", 360, ["light"])
        mode = "go on"
        page.get_by_role("button", name="Try again").first.click()
        expect_there(page, place)
        expect(page.locator("gh-failed")).to_have_count(0)


def expect_there(page: Page, place: Place) -> None:
    expect(page.get_by_role("main").get_by_text(place.says).first).to_be_visible()
    expect(page.locator("gh-loading")).to_have_count(0)


def look(page: Page, name: str, width: int, schemes: Sequence[str] = ("light", "dark")) -> None:
    """The page fits its window, and axe has nothing to say, in the light and in the dark."""
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE)
        found = page.evaluate(RUN_AXE)
        assert found == [], f"{name} at {width} px, {scheme}: {json.dumps(found, indent=1)}"
        shoot(page, f"{name}-{width}{'-dark' if scheme == 'dark' else ''}")
    page.emulate_media(color_scheme="light")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{name} is {wide} px wide in a window of {width} px"


def walk(page: Page) -> None:
    """The Tab key stops at every control, once, and one can see where it is."""
    expected = page.evaluate(STOPS)
    stopped: list[int] = []
    for _ in range(expected + 20):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or stopped[-1:] == [focused["which"]]:  # (a date has a stop for each of its parts)
            continue
        if focused["which"] in stopped:
            break
        assert focused["shown"], f"{page.url}: the focus cannot be seen at {focused['what']}"
        stopped.append(focused["which"])
    missed = page.evaluate(MISSED)
    assert len(stopped) >= expected, f"{page.url}: Tab stops at {len(stopped)} of {expected}; not at {missed}"
