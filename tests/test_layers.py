"""What import-linter cannot see: relations between models by name, models fetched by name, HTTP in business code."""

import ast
import configparser
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Model

from config.domains import DOMAINS

API = Path(settings.BASE_DIR) / "api"
_HTTP = ("django.http", "django.shortcuts", "rest_framework")
_LOOKUPS = {"get_model", "get_app_config", "get_registered_model"}


def _contract_layers() -> list[str]:
    parser = configparser.ConfigParser()
    parser.read(settings.BASE_DIR / ".importlinter")
    return parser["importlinter:contract:domains"]["layers"].split()


def _sources(*patterns: str) -> Iterator[tuple[Path, ast.Module]]:
    for pattern in patterns:
        for path in sorted(API.glob(pattern)):
            yield path, ast.parse(path.read_text())


def _domain_of(path: Path) -> str:
    return path.relative_to(API).parts[0]


def test_the_contract_has_the_domains_of_the_settings_in_their_order() -> None:
    assert _contract_layers() == DOMAINS[::-1]


def test_every_folder_is_a_domain() -> None:
    folders = {path.parent.name for path in API.glob("*/__init__.py")}
    assert folders == set(DOMAINS)


def _relations(models: list[type[Model]]) -> Iterator[tuple[type[Model], str, type[Model]]]:
    for model in models:
        for field in model._meta.get_fields(include_hidden=True):
            if field.is_relation and not field.auto_created and isinstance(field.related_model, type):
                yield model, field.name, field.related_model


def test_relations_between_models_only_look_down() -> None:
    upward = [
        f"{model._meta.label}.{name} -> {other._meta.label}"
        for model, name, other in _relations(list(apps.get_models(include_auto_created=True)))
        if model._meta.app_label in DOMAINS
        and other._meta.app_label in DOMAINS
        and DOMAINS.index(other._meta.app_label) > DOMAINS.index(model._meta.app_label)
    ]
    assert upward == []


def test_every_relation_of_ours_is_looked_at() -> None:
    seen = {
        (model._meta.app_label, other._meta.app_label)
        for model, _, other in _relations(list(apps.get_models(include_auto_created=True)))
    }
    assert {("collectives", "accounts"), ("projects", "collectives"), ("work", "projects")} <= seen


def test_models_fetched_by_name_only_look_down() -> None:
    upward = []
    for path, tree in _sources("*/**/*.py"):
        if "migrations" in path.parts:
            continue
        own = DOMAINS.index(_domain_of(path))
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr in _LOOKUPS and node.args and isinstance(node.args[0], ast.Constant):
                label = str(node.args[0].value).partition(".")[0]
                if label in DOMAINS and DOMAINS.index(label) > own:
                    upward.append(f"{path.relative_to(API)}:{node.lineno} -> {label}")
    assert upward == []


def test_migrations_only_look_down_and_import_no_app_code() -> None:
    wrong = []
    for path, tree in _sources("*/migrations/*.py"):
        own = DOMAINS.index(_domain_of(path))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("api."):
                # Defaults and fields that core offers to every table.
                if node.module not in {"api.core.ids", "api.core.money"}:
                    wrong.append(f"{path.relative_to(API)}:{node.lineno} imports {node.module}")
            elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[0], ast.Constant):
                label = node.elts[0].value
                if label in DOMAINS and DOMAINS.index(label) > own:
                    wrong.append(f"{path.relative_to(API)}:{node.lineno} depends on {label}")
    assert wrong == []


@pytest.mark.parametrize("layer", ["models", "selectors", "services"])
def test_business_code_does_not_know_http(layer: str) -> None:
    wrong = []
    for path, tree in _sources(f"*/{layer}.py", f"*/{layer}/**/*.py"):
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if any(name == http or name.startswith(f"{http}.") for name in names for http in _HTTP):
                wrong.append(f"{path.relative_to(API)}:{node.lineno}")
    assert wrong == []


def test_there_are_no_drawers_for_odds_and_ends() -> None:
    assert [path for path in API.rglob("*.py") if path.stem in {"helpers", "utils", "common", "misc"}] == []


def test_there_are_no_domain_signals() -> None:
    assert list(API.rglob("signals.py")) == []
