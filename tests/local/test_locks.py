"""The lock files pin what `pyproject.toml` asks for, and agree with each other."""

import re
import tomllib
from importlib.metadata import version

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = settings.BASE_DIR
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]


def _pins(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Name -> version and hashes, of those that every platform installs."""
    found = {}
    text = (_ROOT / lock).read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            requirement = Requirement(line.split(" --hash")[0].strip())
            hashes = frozenset(re.findall(r"--hash=(sha256:[0-9a-f]{64})", line))
            found[canonicalize_name(requirement.name)] = (str(requirement.specifier).removeprefix("=="), hashes)
    return found


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_is_exact_and_has_hashes(lock: str) -> None:
    pins = _pins(lock)
    assert len(pins) > 20
    assert [name for name, (pinned, hashes) in pins.items() if not hashes or not re.match(r"\d[\w.]*\Z", pinned)] == []
    assert "://" not in (_ROOT / lock).read_text()


def test_the_runtime_lock_is_part_of_the_tools_lock() -> None:
    runtime, tools = _pins("requirements.txt"), _pins("requirements-dev.txt")
    assert {name: pin for name, pin in runtime.items() if tools.get(name) != pin} == {}


@pytest.mark.parametrize(
    ("asked", "lock"),
    [
        (_PROJECT["dependencies"], "requirements.txt"),
        (_PROJECT["optional-dependencies"]["dev"], "requirements-dev.txt"),
    ],
    ids=["runtime", "tools"],
)
def test_every_dependency_is_pinned_within_its_bounds(asked: list[str], lock: str) -> None:
    pins = _pins(lock)
    wrong = []
    for text in asked:
        requirement = Requirement(text)
        pinned = pins.get(canonicalize_name(requirement.name))
        if pinned is None or not requirement.specifier.contains(pinned[0], prereleases=True):
            wrong.append(text)
    assert wrong == [], "run make lock"


def test_what_is_installed_is_what_is_pinned() -> None:
    differing = {}
    for name, (pinned, _) in _pins("requirements.txt").items():
        try:
            installed = version(name)
        except ImportError:
            continue  # for another platform
        if installed != pinned:
            differing[name] = (installed, pinned)
    assert differing == {}
