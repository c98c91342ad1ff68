"""The container files start what the Procfile starts."""

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections import Counter
from string import Template
from typing import Any

import pytest
import yaml
from django.conf import settings
from honcho.environ import parse_procfile
from jsonschema import Draft201909Validator

from config import connections

_ROOT = settings.BASE_DIR
_PROCESSES = dict(parse_procfile((_ROOT / "Procfile").read_text()).processes)
_TEXT = (_ROOT / "docker-compose.yml").read_text()
_COMPOSE = yaml.safe_load(_TEXT)
_SERVICES = _COMPOSE["services"]
_OURS = {name: service for name, service in _SERVICES.items() if service.get("image") == "guildhall"}
_SECRETS = {"SECRET_KEY", "POSTGRES_PASSWORD", "POSTGRES_ADMIN_PASSWORD"}


def _stages() -> dict[str, list[str]]:
    """The lines of each stage of the Dockerfile."""
    stages: dict[str, list[str]] = {}
    for line in (_ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("FROM "):
            stages[line.split(" AS ")[1]] = []
        elif stages:
            stages[list(stages)[-1]].append(line)
    return stages


def test_the_compose_file_is_one() -> None:
    schema = json.loads((_ROOT / "tests" / "data" / "compose-spec" / "compose-spec.json").read_text())
    problems = Draft201909Validator(schema).iter_errors(_COMPOSE)
    assert [f"{'.'.join(map(str, each.absolute_path))}: {each.message}" for each in problems] == []


def test_every_process_of_the_procfile_runs_as_often_as_in_the_topology() -> None:
    kinds = {name: re.sub(r"[0-9]+$", "", name) for name in _OURS}
    assert Counter(kinds.values()) == {"release": 1, "web": 3, "gateway": 2, "jobs": 2}
    for name, kind in kinds.items():
        assert _OURS[name]["command"] == _PROCESSES[kind]
    others = {"nginx", "redis", "pgpool", "db1", "db2", "db3", "processes"}
    assert _SERVICES.keys() == _OURS.keys() | others


def test_nothing_starts_before_the_release_is_done() -> None:
    for name in [*(_OURS.keys() - {"release"}), "nginx"]:
        assert _SERVICES[name]["depends_on"] == {"release": {"condition": "service_completed_successfully"}}
    assert _SERVICES["release"]["depends_on"] == {"pgpool": {"condition": "service_healthy"}}


def test_nginx_knows_every_node_by_its_address() -> None:
    def addresses(kind: str, port: int) -> list[str]:
        found = [each["networks"]["default"]["ipv4_address"] for name, each in _OURS.items() if name.startswith(kind)]
        return [f"{address}:{port}" for address in found]

    given = _SERVICES["nginx"]["build"]["args"]
    environment = _COMPOSE["x-guildhall"]["environment"]
    assert given["WEB"].split(",") == addresses("web", 8000)
    assert given["GATEWAYS"].split(",") == addresses("gateway", environment["GATEWAY_PORT"])
    # It gives a node no more than the node works on, and the nodes believe it and nobody else.
    assert given["MAX_CONNECTIONS"] <= environment["WEB_CONCURRENCY"] * environment["WEB_THREADS"]
    assert environment["FORWARDED_ALLOW_IPS"] == _SERVICES["nginx"]["networks"]["default"]["ipv4_address"]
    assert environment["WEB_NODES"] == len(addresses("web", 0))


def test_only_nginx_can_be_reached_and_from_this_machine_alone() -> None:
    published = {name: each["ports"] for name, each in _SERVICES.items() if "ports" in each}
    assert published == {"nginx": ["127.0.0.1:${PORT:-8000}:8080"]}


def test_a_server_that_was_lost_is_not_started_by_itself() -> None:
    """It would take itself for the primary still."""
    for name in ("db1", "db2", "db3"):
        assert _SERVICES[name]["restart"] == "no"


def test_no_secret_has_a_default() -> None:
    assert re.findall(r"\$\{(SECRET_KEY|POSTGRES_PASSWORD|POSTGRES_ADMIN_PASSWORD)[^?]*?\}", _TEXT) == []
    assert set(re.findall(r"\$\{(\w+):\?\}", _TEXT)) == _SECRETS


def test_every_image_is_made_and_none_runs_as_root() -> None:
    stages = _stages()
    wanted = {each["build"]["target"] for each in _SERVICES.values() if isinstance(each.get("build"), dict)}
    assert wanted == {"app", "nginx", "postgres"}
    for target in wanted:
        users = [line.split()[1] for line in stages[target] if line.startswith("USER ")]
        assert len(users) == 1
        assert users[0] not in ("root", "0")
        after = stages[target][stages[target].index(f"USER {users[0]}") :]
        assert any(line.startswith("CMD ") for line in after)
    (command,) = [json.loads(line.removeprefix("CMD ")) for line in stages["app"] if line.startswith("CMD ")]
    assert " ".join(command) == _PROCESSES["web"]


def test_the_image_of_nginx_is_made_by_a_command_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = re.findall(r"^RUN python -m config\.nginx (.*?) > ", (_ROOT / "Dockerfile").read_text(), re.M | re.S)
    given = {**_SERVICES["nginx"]["build"]["args"], "PUBLIC_URL": "https://guildhall.example"}
    values = {name: re.sub(r"\$\{SUBNET:-([^}]+)\}", r"\1", str(value)) for name, value in given.items()}
    words = [Template(word).substitute(values) for word in shlex.split(line.replace("\\\n", ""))]
    done = subprocess.run(
        [sys.executable, "-m", "config.nginx", *words],
        cwd=_ROOT, env={**os.environ, **values}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "server 172.31.250.13:8000 max_conns=16 max_fails=0;" in done.stdout
    assert "Strict-Transport-Security max-age=31536000" in done.stdout


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


@pytest.mark.parametrize(
    ("cores", "megabytes", "processes"),
    [(2, 24_000, 3), (64, 256_000, 65), (8, 1_024, 3), (4, 512, 1), (1, 64, 1)],
)
def test_gunicorn_starts_no_more_processes_than_the_memory_holds(
    monkeypatch: pytest.MonkeyPatch, cores: int, megabytes: int, processes: int
) -> None:
    assert _gunicorn(monkeypatch)["_processes"](cores, megabytes * 1024**2) == processes


def test_gunicorn_waits_as_long_as_it_drains_and_finishes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _gunicorn(monkeypatch, GRACEFUL_SECONDS="7", DRAIN_SECONDS="5")["graceful_timeout"] == 12


def test_connections_are_counted_over_all_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WEB_NODES": "3", "GATEWAY_NODES": "2", "JOBS_NODES": "2", "JOBS_THREADS": "2"}.items():
        monkeypatch.setenv(name, value)
    wanted = connections.demand(processes=2, threads=8)
    assert wanted.total == 3 * 2 * (8 + 3) + 2 * 6 + 2 * (2 + 12)
    assert connections.warning("default", wanted, wanted.total) is None
    text = connections.warning("default", wanted, wanted.total - 1)
    assert text is not None
    assert f"gives {wanted.total - 1} connections" in text
    assert f"may open {wanted.total}: 3 web × 2 processes × (8 threads + 3)" in text


def test_gunicorn_knows_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    from gunicorn.config import KNOWN_SETTINGS

    known = {setting.name for setting in KNOWN_SETTINGS}
    used = {name for name in _gunicorn(monkeypatch) if name.islower() and not name.startswith("_")}
    assert used - {"connections", "env", "gc", "os"} <= known
