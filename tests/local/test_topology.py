"""The container files start what the Procfile starts."""

import json
import re
import runpy
from typing import Any

import pytest
import yaml
from django.conf import settings
from honcho.environ import parse_procfile

_ROOT = settings.BASE_DIR
_PROCESSES = dict(parse_procfile((_ROOT / "Procfile").read_text()).processes)
_COMPOSE = yaml.safe_load((_ROOT / "docker-compose.yml").read_text())


def test_every_process_is_a_service_with_the_same_command() -> None:
    services = {name: service["command"] for name, service in _COMPOSE["services"].items() if name != "db"}
    assert services == _PROCESSES


def test_nothing_starts_before_the_release_is_done() -> None:
    for name in _PROCESSES.keys() - {"release"}:
        assert _COMPOSE["services"][name]["depends_on"] == {"release": {"condition": "service_completed_successfully"}}
    assert _COMPOSE["services"]["release"]["depends_on"] == {"db": {"condition": "service_healthy"}}


def test_no_secret_has_a_default() -> None:
    text = (_ROOT / "docker-compose.yml").read_text()
    assert re.findall(r"\$\{(SECRET_KEY|POSTGRES_PASSWORD)[^?]*?\}", text) == []
    assert set(re.findall(r"\$\{(\w+):\?\}", text)) == {"SECRET_KEY", "POSTGRES_PASSWORD"}


def test_the_image_runs_the_web_process_and_not_as_root() -> None:
    lines = (_ROOT / "Dockerfile").read_text().splitlines()
    (command,) = [json.loads(line.removeprefix("CMD ")) for line in lines if line.startswith("CMD ")]
    assert " ".join(command) == _PROCESSES["web"]
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["guildhall"]


def _variables_read() -> set[str]:
    text = "".join(file.read_text() for file in (_ROOT / "config").glob("*.py"))
    return set(re.findall(r'\b(?:text|flag|number|words)\(\s*"([A-Z_]+)"', text))


def test_every_variable_of_the_services_is_one_that_is_read() -> None:
    assert set(_COMPOSE["x-guildhall"]["environment"]) - _variables_read() == set()


def test_every_variable_is_documented() -> None:
    told = set(re.findall(r"`([A-Z_]+)`", (_ROOT / "docs" / "running.md").read_text()))
    assert _variables_read() - {"TEST_DATABASE_NAME"} - told == set()


def test_the_readme_tells_every_command() -> None:
    targets = set(re.findall(r"^(\w+):.*## ", (_ROOT / "Makefile").read_text(), re.MULTILINE)) - {"help"}
    told = set(re.findall(r"\bmake (\w+)", (_ROOT / "README.md").read_text()))
    assert targets <= told
    assert set(re.findall(r"^make (\w+)", (_ROOT / ".ci" / "run").read_text(), re.MULTILINE)) <= told


def _gunicorn(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    for name in ("HOST", "PORT", "WEB_CONCURRENCY", "WEB_THREADS", "GRACEFUL_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(_ROOT / "config" / "gunicorn.conf.py"))


def test_gunicorn_listens_on_this_machine_alone_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _gunicorn(monkeypatch)["bind"] == "127.0.0.1:8000"
    assert _gunicorn(monkeypatch, HOST="0.0.0.0", PORT="9000")["bind"] == "0.0.0.0:9000"


def test_gunicorn_is_sized_by_cores_or_by_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _gunicorn(monkeypatch)["workers"] >= 2
    set_by_hand = _gunicorn(monkeypatch, WEB_CONCURRENCY="5", WEB_THREADS="3")
    assert (set_by_hand["workers"], set_by_hand["threads"]) == (5, 3)


def test_gunicorn_knows_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    from gunicorn.config import KNOWN_SETTINGS

    known = {setting.name for setting in KNOWN_SETTINGS}
    used = {name for name in _gunicorn(monkeypatch) if name.islower() and not name.startswith("_")}
    assert used - {"env", "gc", "os"} <= known
