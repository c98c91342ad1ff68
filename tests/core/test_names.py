"""Names, titles and notes of one line: nothing in them breaks the line or turns the words around it."""

import pytest

from api.core.serializers import LineField, is_one_line
from tests.factories import make_api, make_user
from tests.projects import build

BAD = {
    "newline": "Ana\nBo",
    "tab": "Ana\tBo",
    "escape": "Ana\x1b[31m",
    "delete": "Ana\x7f",
    "next line": "Ana\x85Bo",
    "line separator": "Ana\u2028Bo",
    "override": "Ana \u202egnp.exe",
    "embedding": "Ana \u202b",
    "isolate": "Ana \u2067Bo",
}
GOOD = ["Ana", "أنا", "می‌خواهم", "👩‍🚀 of the guild", "山田　太郎", "O’Neill\u00a0Jr.", "עברית and more"]


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_is_not_one_line(text: str) -> None:
    assert not is_one_line(text)


@pytest.mark.parametrize("text", GOOD)
def test_names_of_many_scripts_are(text: str) -> None:
    assert LineField(max_length=80).run_validation(f" {text} ") == text


@pytest.mark.django_db
@pytest.mark.parametrize("text", [BAD["override"], BAD["newline"]], ids=["override", "newline"])
def test_every_short_name_is_asked(text: str) -> None:
    ana = make_user("Ana")
    client = make_api(ana)
    purse = client.get("/api/v1/purses").json()[0]["id"]
    money = {"amount": 100, "currency": "USD"}
    robot = {"client_type": "public", "redirect_uris": ["https://robot.example.org/"]}
    calls = [
        ("patch", "/api/v1/me", {"name": text}, "name"),
        ("patch", f"/api/v1/collectives/{ana.id}", {"name": text}, "name"),
        ("post", "/api/v1/applications", robot | {"name": text}, "name"),
        ("post", "/api/v1/projects", {"title": text}, "title"),
        ("post", "/api/v1/projects", {"title": "Ducks", "keywords": ["ok", text]}, "keywords.1"),
        ("patch", f"/api/v1/projects/{build.draft(ana).id}", {"title": text}, "title"),
        ("post", f"/api/v1/purses/{purse}/deposit", {"amount": money, "reference": text}, "reference"),
    ]
    for method, path, body, field in calls:
        refused = getattr(client, method)(path, body)
        assert refused.status_code == 400, (path, refused.content)
        errors = [(each["field"], each["code"]) for each in refused.json()["errors"]]
        assert errors == [(field, "not_one_line")], path
