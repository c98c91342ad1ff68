"""Lists in pages: every row once, whatever is added meanwhile; and cursors that were tampered with."""

import base64
import re
from urllib.parse import urlencode

import orjson
import pytest

from tests.projects import build
from tests.results import build as answers
from tests.work.build import published_project


def _next(response):
    link = re.fullmatch(r'<http://testserver([^>]+)>; rel="next"', response.get("Link", ""))
    return link and link[1]


def _cursor(*values) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(values))).rstrip(b"=").decode()


def test_every_row_once_though_rows_are_added(api, make_user) -> None:
    owner = make_user()
    client = api(owner)
    made = [str(build.draft(owner, tasks=0).id) for _ in range(5)]
    seen, path = [], "/api/v1/projects?limit=2"
    while path:
        response = client.get(path)
        seen += [each["id"] for each in response.json()]
        build.draft(owner, tasks=0)
        path = _next(response)
    assert seen == made[::-1]


def test_the_next_page_keeps_the_filter(api, make_user) -> None:
    owner = make_user()
    for title in ("Ducks a", "Geese", "Ducks b", "Ducks c"):
        build.draft(owner, tasks=0, title=title)
    first = api(owner).get("/api/v1/projects?q=ducks&limit=2")
    rest = api(owner).get(_next(first))
    assert [each["title"] for each in first.json() + rest.json()] == ["Ducks c", "Ducks b", "Ducks a"]
    assert _next(rest) is None


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "ten", "", "²", "9" * 30])
def test_limits_that_are_none(api, make_user, limit) -> None:
    refused = api(make_user()).get("/api/v1/projects", {"limit": limit})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "limit")


ODD = [
    "!!!",
    "x",
    "",
    "é",
    "\x00",
    "A" * 5000,
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    base64.urlsafe_b64encode(b"null").decode(),
    base64.urlsafe_b64encode(b'{"id": 1}').decode(),
    base64.urlsafe_b64encode(b"[1e999]").decode(),
    base64.urlsafe_b64encode(b"[[1]]").decode(),
    base64.urlsafe_b64encode(b"[" * 2000).decode(),
]
VALUES = [
    None,
    True,
    0,
    -1,
    10**18,
    -(2**63),
    2**64 - 1,
    1.5,
    1e308,
    "",
    "text",
    "\x00",
    "'; DROP TABLE x; --",
    "9999-99-99",
    "0001-01-01T00:00:00Z",
    "0198c1f2-7d3a-7c4e-9b1a-2f6d8e0a4c51",
]


@pytest.fixture
def lists(db, make_user):
    """An owner, and the address of every kind of list there is."""
    owner = make_user()
    project = published_project(owner, tasks=3)
    answers.give_answers(project, [(n, answers.worker_of(project, f"w{n}"), {"label": "duck"}) for n in range(3)])
    build.give_money(owner, 100)
    base = f"/api/v1/projects/{project.id}"
    paths = ["projects", "purses", "feed", "assignments", "applications", "collectives", "me/sessions"]
    return owner, [
        *[f"/api/v1/{path}" for path in paths],
        *[f"/api/v1/feed?sort={sort}" for sort in ("newest", "wage", "reward", "left")],
        *[f"{base}/{path}" for path in ("tasks", "batches", "versions", "assignments", "results/workers")],
        f"{base}/assignments?order=oldest",
        f"/api/v1/collectives/{owner.id}/members",
    ]


def test_odd_cursors_are_refused_and_never_crash(lists, api, settings) -> None:
    owner, paths = lists
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 10**6)
    client = api(owner)
    client.raise_request_exception = False
    cursors = [
        *ODD,
        *(_cursor(value) for value in VALUES),
        *(_cursor(a, b) for a in VALUES for b in (VALUES[-1], "text", 0, None)),
    ]
    for path in paths:
        separator = "&" if "?" in path else "?"
        seen = set()
        for cursor in cursors:
            response = client.get(f"{path}{separator}{_query(cursor)}")
            assert response.status_code in (200, 400), (path, cursor, response.content)
            if response.status_code == 400:
                seen.add(response.json()["code"])
        assert "invalid_cursor" in seen, path


def test_a_cursor_shows_nothing_that_the_list_does_not(lists, api, make_user) -> None:
    stranger = api(make_user("Stranger"))
    for value in VALUES:
        response = stranger.get(f"/api/v1/projects?{_query(_cursor(value))}")
        assert response.status_code == 400 or response.json() == []


def _query(cursor: str) -> str:
    return urlencode({"cursor": cursor})
