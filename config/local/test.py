"""`make test`: every test there is, on a machine that may have none of what they need.

Installs what the tests drive (a browser) where it knows how, and otherwise says what to install. What follows the
command is given to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from config.local import browser, packages, prepare
from config.local.prepare import Stop, call, say


def main() -> None:
    with prepare.one_sentence():
        prepare.require_python()
        prepare.stop_on_signals()
        prepare.require_node()
        say("Making ready")
        system_packages()
        prepare.python_packages(prepare.TOOLS_LOCK)
        prepare.npm_packages()
        prepare.client()
        playwright_browser()
        picked = sys.argv[1:]
        started = time.monotonic()
        results = {}
        if not picked:
            results["client"] = run("Client tests", ["npm", "--prefix", "client", "test"])
        results["server"] = run("Server and browser tests", [str(prepare.VENV_PYTHON), "-m", "pytest", *picked])
        failed = [name for name, code in results.items() if code]
        say(f"\n{time.monotonic() - started:.0f} s of tests.")
        if failed:
            raise Stop(f"Tests failed: {' and '.join(failed)}; what failed is above.")
        say("All tests passed.")


def run(title: str, command: list[str]) -> int:
    """Run `command` in the open, where its progress can be seen. Returns its exit code."""
    say(f"\n{title}")
    path = f"{prepare.VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    child = subprocess.Popen(command, cwd=str(prepare.ROOT), env={**prepare.environment(), "PATH": path})
    try:
        return child.wait()
    except BaseException:
        prepare.end(child, group=False, patience=20)
        raise


def system_packages() -> None:
    """Install with apt-get what is missing, where there is an apt-get."""
    wanted = []
    if not _has_venv_module():
        wanted.append("python3-venv")
    if browser.find() is None and not packages.is_ubuntu():
        wanted += ["chromium", "fonts-liberation"]
    if wanted and not packages.can_install():
        raise Stop(f"The tests need {' and '.join(wanted)}; install them with this system's package manager.")
    # Without these the tests of clusters are skipped, and say so.
    if packages.can_install():
        wanted += packages.missing_of_a_cluster()
    if wanted:
        packages.install(wanted)


def playwright_browser() -> None:
    """Where the system has no Chromium that can be driven (Ubuntu's is a snap), have Playwright's own."""
    if browser.find() is not None:
        return
    install = [*packages.as_root(), str(prepare.VENV_PYTHON), "-m", "playwright", "install-deps", "chromium"]
    failed = "Playwright could not install a browser."
    call("Installing what a browser needs with apt-get", install, failed=failed, own_session=False)
    download = [str(prepare.VENV_PYTHON), "-m", "playwright", "install", "chromium"]
    call("Downloading Chromium", download, failed=failed)


def _has_venv_module() -> bool:
    try:
        prepare.require_venv_module()
    except Stop:
        return False
    return True


if __name__ == "__main__":
    main()
