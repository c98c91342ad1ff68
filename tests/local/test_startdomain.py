"""A domain that `manage.py startdomain` has made passes every check, as it stands."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

_BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's Python side."""
    root = tmp_path_factory.mktemp("guildhall")
    leave = shutil.ignore_patterns("__pycache__", "data", "e2e", "local", "dist", "node_modules")
    for folder in ("api", "config", "tests"):
        shutil.copytree(settings.BASE_DIR / folder, root / folder, ignore=leave)
    shutil.copytree(settings.BASE_DIR / "config" / "local", root / "config" / "local")
    (root / "docs").mkdir()
    for file in ("manage.py", "pyproject.toml", "pytest.ini", ".importlinter", "docs/openapi.yaml"):
        shutil.copy(settings.BASE_DIR / file, root / file)
    return root


def _run(copy: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    env = {
        "PATH": os.environ["PATH"],
        "GUILDHALL_MODE": "local",
        "GUILDHALL_DATA": str(copy / ".data"),
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "TEST_DATABASE_URL": os.environ["DATABASE_URL"],
        "TEST_DATABASE_NAME": "test_startdomain",
        "PYTHONWARNINGS": "ignore",
    }
    return subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True)


@pytest.mark.processes
def test_a_new_domain_passes_every_check(copy: Path) -> None:
    python = sys.executable
    made = _run(copy, python, "manage.py", "startdomain", "bookmarks", "--above", "collectives")
    assert made.returncode == 0, made.stderr
    typed = ["api/bookmarks/services.py", "api/bookmarks/selectors.py"]
    checks = [
        [str(_BIN / "ruff"), "format", "--check", "api/bookmarks", "tests/bookmarks", "config"],
        [str(_BIN / "ruff"), "check", "api/bookmarks", "tests/bookmarks", "config"],
        [str(_BIN / "mypy"), *typed],
        [str(_BIN / "lint-imports"), "--no-logo", "--no-cache"],
        [python, "manage.py", "makemigrations", "--check", "--dry-run"],
        [python, "manage.py", "openapi", "--check"],
        [
            python,
            "-m",
            "pytest",
            "-q",
            "--create-db",
            "tests/bookmarks",
            "tests/test_layers.py",
            "tests/test_openapi.py",
        ],
    ]
    for check in checks:
        done = _run(copy, *check)
        assert done.returncode == 0, f"{' '.join(check)}\n{done.stdout}\n{done.stderr}"
    layers = (copy / ".importlinter").read_text()
    assert "    projects\n    bookmarks\n    collectives\n" in layers
    assert '    "collectives",\n    "bookmarks",\n    "projects",\n' in (copy / "config" / "domains.py").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["work"], "something called 'work' already"),
        (["Bookmarks"], "cannot be used"),
        (["class"], "cannot be used"),
        (["staff"], "Give the noun"),
        (["bookmarks", "--above", "nothing"], "There is no domain 'nothing'"),
        (["bookmarks", "--above", "core"], "stands above realtime"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(arguments: list[str], sentence: str) -> None:
    done = _run(settings.BASE_DIR, sys.executable, "manage.py", "startdomain", *arguments)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
