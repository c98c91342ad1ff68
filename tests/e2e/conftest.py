"""A whole Guildhall and a real browser, for what people do.

`E2E_SHOTS=folder` keeps a picture of every page that the tests look at.
"""

import functools
import http.server
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from bench.stack import Stack, running
from config.local import browser

CLIENT = Path(__file__).parents[2] / "client"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
]
PASSWORD = "never on a monday"
PATIENCE_MS = 20_000
# What an API answers when it says no is part of the job; everything else that a browser complains of is a defect.
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (400|409) ")


@pytest.fixture(scope="session")
def other_origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Another origin and the folder that it serves."""
    folder = tmp_path_factory.mktemp("other-origin")
    with serving(folder) as origin:
        yield origin, folder


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, other_origin: tuple[str, Path]) -> Iterator[Stack]:
    built = Path(os.environ.get("CLIENT_DIST") or CLIENT / "dist") / "index.html"
    assert built.is_file(), "The client is not built; `make test` does it, or npm --prefix client run build."
    with running(
        tmp_path_factory.mktemp("stack"),
        workers=1,
        gateway=True,
        PAYMENT_PROVIDERS="api.ledger.providers.Play,api.ledger.providers.Manual",
        CLIENT_ORIGINS=other_origin[0],
    ) as stack:
        yield stack


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    chromium = playwright.chromium.launch(executable_path=browser.find(), args=ARGUMENTS)
    yield chromium
    chromium.close()


class Browsers:
    """Makes browser windows, each of a person of its own, and hears what they complain of."""

    def __init__(self, chromium: Browser) -> None:
        self.chromium = chromium
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []
        self.expected = _REFUSED

    def open(self, *, state: Any = None, width: int = 1280, strict: bool = True, **options: Any) -> Page:
        """A new window. `state` is whom it is signed in as; with `strict=False` nobody listens to its complaints."""
        context = self.chromium.new_context(
            storage_state=state, viewport={"width": width, "height": 860}, reduced_motion="reduce", **options
        )
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        if strict:
            context.on("console", self._console)
            context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return context.new_page()

    @contextmanager
    def expecting(self, pattern: str) -> Iterator[None]:
        """Meanwhile a complaint that begins with `pattern` is none."""
        self.expected = re.compile(f"{_REFUSED.pattern}|{pattern}")
        yield
        self.expected = _REFUSED

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not self.expected.match(message.text):
            self.complaints.append(f"{message.text} ({message.location.get('url')})")


@pytest.fixture
def browsers(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Browsers]:
    browsers = Browsers(chromium)
    yield browsers
    for number, context in enumerate(browsers.contexts):
        for page in context.pages:
            shoot(page, f"last-{request.node.name}-{number}")
        context.close()
    assert browsers.complaints == []


def shoot(page: Page, name: str) -> None:
    folder = os.environ.get("E2E_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def sign_up(page: Page, base: str, name: str, wants: str, email: str | None = None) -> str:
    """Make an account by the pages, from the client's first page until it greets its new user.

    Returns the token that the client then uses.
    """
    page.goto(base)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_label("Email").fill(email or f"{name.lower()}@example.org")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label(wants).check()
    page.get_by_role("button", name="Make the account").click()
    page.get_by_role("link", name="Open the message here").click()
    with page.expect_request(lambda call: call.url.endswith("/api/v1/me")) as waiting:
        page.get_by_role("button", name="Yes, confirm").click()
    expect(page.get_by_role("heading", name=f"Good to see you, {name}")).to_be_visible()
    return waiting.value.headers["authorization"].removeprefix("Bearer ")


def sign_in(page: Page, base: str, email: str, password: str) -> str:
    """Sign in by the pages, from the client's first page. Returns the token that the client then uses."""
    page.goto(base)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    with page.expect_request(lambda call: call.url.endswith("/api/v1/me")) as waiting:
        page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Good to see you")).to_be_visible()
    return waiting.value.headers["authorization"].removeprefix("Bearer ")


@pytest.fixture(scope="session")
def demo(stack: Stack, chromium: Browser) -> dict[str, Any]:
    """Browser states of the demo's `requester` and `worker`, and of `nobody`; under `tokens`, their tokens."""
    said = stack.manage("load_demo")
    states: dict[str, Any] = {"nobody": None, "tokens": {}}
    for role in ("requester", "worker"):
        account = re.search(rf"(?im)^ *{role} +(\S+@\S+) +(\S+)", said)
        assert account is not None, said
        context = chromium.new_context()
        states["tokens"][role] = sign_in(context.new_page(), stack.url, account[1], account[2])
        states[role] = context.storage_state()
        context.close()
    return states


class Api:
    """The API, called as a script would, with one user's token."""

    def __init__(self, context: BrowserContext, base: str, token: str) -> None:
        self.request, self.base, self.token = context.request, base, token

    def __call__(self, method: str, path: str, body: Any = None, *, status: int | None = None, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        data = body if isinstance(body, bytes | type(None)) else json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        address = f"{self.base}/api/v1{path}"
        answer = self.request.fetch(address, method=method, data=data, headers=headers, **options)
        assert answer.status == status if status else answer.ok, f"{method} {path}: {answer.status} {answer.text()}"
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text()


@pytest.fixture
def api(stack: Stack, chromium: Browser) -> Iterator[Callable[[str], Api]]:
    """`api(token)`: the API as the user of that token, as `stack.seed` makes them."""
    context = chromium.new_context()
    yield functools.partial(Api, context, stack.url)
    context.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Single(_Quiet):
    """Any address that is no file is the single page, as a server of such a client is set up."""

    def do_GET(self) -> None:
        if not Path(self.translate_path(self.path)).is_file():
            self.path = "/index.html"
        super().do_GET()


class serving:
    """`with serving(folder) as origin`: a folder's files over HTTP."""

    def __init__(self, folder: Path) -> None:
        handler = functools.partial(_Single, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.origin

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
