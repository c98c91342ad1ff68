"""Which browser the end-to-end tests and the screenshots drive."""

from __future__ import annotations

import os
import shutil

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find() -> str | None:
    """The path of an installed Chromium, from `CHROMIUM` or `PATH`; None leaves Playwright its own."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    for name in _NAMES:
        path = shutil.which(name)
        # Ubuntu's /usr/bin/chromium-browser is a note that tells to install a snap, which containers cannot run.
        if path and not (name == "chromium-browser" and os.path.getsize(path) < 10_000 and _is_snap_note(path)):
            return path
    return None


def _is_snap_note(path: str) -> bool:
    with open(path, "rb") as script:
        return b"snap" in script.read(10_000)
