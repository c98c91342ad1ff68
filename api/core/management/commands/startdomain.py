"""Begin a domain: its folder, tests, first migration, and its place in the order of domains."""

import keyword
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

_TEMPLATES = Path(__file__).resolve().parent.parent / "domain"
_WORD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")


class Command(BaseCommand):
    help = "Make api/NAME and tests/NAME with one small noun that works, and place NAME among the domains."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the domain, a plural in lower case: bookmarks")
        parser.add_argument("--noun", help="what its rows are; bookmark, unless said otherwise")
        parser.add_argument("--above", help="the domain it stands right above; the topmost, unless said otherwise")

    def handle(self, *args: Any, **options: Any) -> None:
        root: Path = settings.BASE_DIR
        name = options["name"]
        noun = options["noun"] or re.sub(r"s\Z", "", name)
        domains = root / "config" / "domains.py"
        contract = root / ".importlinter"
        order = re.findall(r'^    "(\w+)",$', domains.read_text(), re.MULTILINE)
        above = options["above"] or order[-1]
        _require_usable(root, name, noun, above, order)

        words = {"name": name, "Title": _camel(name), "NAME": name.upper(), "noun": noun, "Noun": _camel(noun)}
        _write(_TEMPLATES / "api", root / "api" / name, words)
        _write(_TEMPLATES / "tests", root / "tests" / name, words)
        _insert(domains, f'    "{above}",\n', f'    "{name}",\n', before=False)
        _insert(contract, f"    {above}\n", f"    {name}\n", before=True)
        if f"    api.{above}\n" in contract.read_text():
            _insert(contract, f"    api.{above}\n", f"    api.{name}\n", before=False)
        else:
            _insert(contract, "containers =\n", f"    api.{name}\n", before=False)
        _extend_matrix(root / "tests" / "test_permissions.py", name, noun)
        _sort_imports(root, name)
        # The present process has loaded the domains as they were; a new one sees the new domain.
        _manage("makemigrations", name, "--name", "initial")
        _manage("openapi")
        self.stdout.write(
            f"Made api/{name} and tests/{name}, its lines in config/, .importlinter and the permission matrix."
        )
        self.stdout.write(f"Next: write api/{name}/__init__.py, then the model; docs/extending.md shows the way.")


def _require_usable(root: Path, name: str, noun: str, above: str, order: list[str]) -> None:
    for word in (name, noun):
        if not _WORD.match(word) or keyword.iskeyword(word):
            raise CommandError(f"{word!r} cannot be used: lower case letters, digits and underscores, like bookmarks.")
    if name in order or find_spec(f"api.{name}") or (root / "tests" / name).exists():
        raise CommandError(f"There is something called {name!r} already, in api/ or in tests/.")
    if name == noun:
        raise CommandError(f"Give the noun: manage.py startdomain {name} --noun WORD.")
    if above not in order:
        raise CommandError(f"There is no domain {above!r}; there are {', '.join(order)}.")
    if above in order[: order.index("realtime")]:
        raise CommandError("A domain with users and events stands above realtime.")


def _camel(word: str) -> str:
    return "".join(part.capitalize() for part in word.split("_"))


def _write(source: Path, target: Path, words: dict[str, str]) -> None:
    for template in sorted(source.rglob("*-tpl")):
        file = target / template.relative_to(source).with_suffix(template.suffix.removesuffix("-tpl"))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(template.read_text()).substitute(words))


def _insert(file: Path, anchor: str, line: str, *, before: bool) -> None:
    """Put `line` right before or after the first `anchor` in `file`."""
    text = file.read_text()
    start, found, end = text.partition(anchor)
    if not found:
        raise CommandError(f"{file.name} has no line {anchor.strip()!r}; add {line.strip()!r} there by hand.")
    file.write_text(start + (line + found if before else found + line) + end)


def _extend_matrix(file: Path, name: str, noun: str) -> None:
    """Give the new routes their rows in the test that calls every route as everyone."""
    own, made, read = "200 200 200 200 200", "201 201 201 201 201", "200 404 404 404 200"
    rows = [("GET", f"/{name}", own), ("POST", f"/{name}", made), ("GET", f"/{name}/{{{noun}_id}}", read)]
    lines = "".join(f"{method:<6} {path:<45} 401 403 {statuses}\n" for method, path, statuses in rows)
    _insert(file, 'TABLE = """\n', f"{lines}\n", before=False)
    _insert(file, "BODIES: dict[str, Any] = {\n", f'    "POST /{name}": {{"title": "Ducks"}},\n', before=False)
    kept = f'    ids["{noun}_id"] = {name}.create_{noun}(owner=owner, title="Ducks").id\n'
    _insert(file, '    ids["collective_id"] = group.id\n', kept, before=False)
    _insert(file, "from tests import factories\n", f"from api.{name} import services as {name}\n", before=True)


def _sort_imports(root: Path, name: str) -> None:
    """Where the new name falls among others in an import depends on its first letter."""
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        raise CommandError("ruff is missing: make check installs the developer's tools.")
    folders = [root / "api" / name, root / "tests" / name, root / "tests" / "test_permissions.py"]
    subprocess.run([ruff, "check", "-q", "--fix-only", "--select=I", *folders], cwd=root, check=True)
    subprocess.run([ruff, "format", "-q", *folders], cwd=root, check=True)


def _manage(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    if done.returncode:
        raise CommandError(f"manage.py {' '.join(arguments)} failed:\n{done.stderr.strip()}")
