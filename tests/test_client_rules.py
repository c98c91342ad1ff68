"""What SECURITY.md promises about the client: nothing that a known weakness of AngularJS needs is in it."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings

_CLIENT = Path(settings.BASE_DIR) / "client"
_FILES = [
    file
    for file in sorted((_CLIENT / "src").rglob("*"))
    if file.suffix in {".html", ".js"} and not file.name.endswith(".spec.js")
]
_FORBIDDEN = {
    "ng-bind-html": r"ng-?bind-?html",
    "srcset": r"srcset",
    "an SVG image": r"<image\b|xlink:href|createElementNS\([^)]*['\"]image['\"]",
    "an input of type url": r"type=[\"']url[\"']",
    "interpolation in a textarea": r"<textarea[^>]*>[^<]*\{\{",
    "angular.copy": r"angular\.copy\b",
    "trust by hand": r"\$sce\b|\$sceDelegate|trustAs",
    "ngSanitize or linky": r"ngSanitize|\$sanitize\b|\|\s*linky",
    "compiling text": r"['\"]\$(compile|parse|interpolate)['\"]|\.\$eval\b|\beval\(|new Function\(",
    "ng-include": r"ng-include|ngInclude",
    "HTML made from text": r"\.innerHTML\s*=|\.outerHTML\s*=|insertAdjacentHTML|document\.write",
    "a two-way binding": r"bindings:\s*\{[^}]*['\"]=",
    "the frame's origin": r"allow-same-origin",
}


def test_there_is_a_client_to_look_at() -> None:
    assert len(_FILES) > 50


@pytest.mark.parametrize("what", _FORBIDDEN)
def test_the_client_does_without(what: str) -> None:
    pattern = re.compile(_FORBIDDEN[what])
    found = [
        f"{file.relative_to(_CLIENT)}:{number}"
        for file in _FILES
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if pattern.search(line) and not line.lstrip().startswith(("//", "*", "/*"))
    ]
    assert found == []


def test_no_module_with_a_known_weakness_is_installed() -> None:
    package = json.loads((_CLIENT / "package.json").read_text())
    assert package["dependencies"].keys() & {"angular-sanitize", "angular-translate", "jquery"} == set()
    assert package["dependencies"]["angular"] == "1.8.3"


def test_every_weakness_listed_tells_what_is_here() -> None:
    rows = re.findall(
        r"^\| \[(CVE-\d+-\d+)\]\((\S+)\) .+ \| .+ \| .+ \|$", (_CLIENT.parent / "SECURITY.md").read_text(), re.M
    )
    assert len(rows) == 13
    assert all(address.endswith(name) for name, address in rows)
