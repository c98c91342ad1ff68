"""`make screenshot`: take `docs/screenshot.png` of the demo, which must be running (`make run`).

Signs in as the first account that `manage.py load_demo` tells, which prints a line for each: role, address, password.
"""

import argparse
import os
import re
import subprocess
import sys

from playwright.sync_api import Page, sync_playwright

from config.local import browser, prepare
from config.local.prepare import Stop


def main() -> None:
    parser = argparse.ArgumentParser(description="Take docs/screenshot.png of the running demo.")
    parser.add_argument("--address", default=f"http://127.0.0.1:{os.environ.get('PORT') or 8000}")
    parser.add_argument("--role", default="worker", help="whose account to use, as load_demo names it")
    parser.add_argument("--page", default="/feed", help="the page to take")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=860)
    parser.add_argument("--to", default=str(prepare.ROOT / "docs" / "screenshot.png"))
    wanted = parser.parse_args()
    with prepare.one_sentence(), sync_playwright() as playwright:
        email, password = demo_account(wanted.role)
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=["--no-sandbox"])
        try:
            context = chromium.new_context(
                viewport={"width": wanted.width, "height": wanted.height},
                device_scale_factor=2,
                color_scheme="dark" if wanted.dark else "light",
            )
            page = context.new_page()
            sign_in(page, wanted.address, email, password)
            page.goto(wanted.address + wanted.page)
            page.wait_for_load_state("networkidle")
            page.wait_for_url(f"**{wanted.page}", timeout=15_000)
            page.screenshot(path=wanted.to)
        finally:
            chromium.close()
        prepare.say(f"Wrote {wanted.to}.")


def demo_account(role: str) -> tuple[str, str]:
    """The address and password of the demo's first account of that role."""
    done = subprocess.run(
        [sys.executable, "manage.py", "load_demo"], cwd=prepare.ROOT, capture_output=True, text=True, check=False
    )
    found = re.search(rf"(?im)^\s*{re.escape(role)}\b.*?(\S+@\S+)\s+(\S+)", done.stdout)
    if found is None:
        raise Stop(f"There is no demo account of a {role} here; start the demo with make run.")
    return found[1], found[2]


def sign_in(page: Page, address: str, email: str, password: str) -> None:
    page.goto(f"{address}/accounts/login/")
    page.fill('input[name="login"]', email)
    page.fill('input[name="password"]', password)
    with page.expect_navigation():
        page.press('input[name="password"]', "Enter")
    if "/accounts/login" in page.url:
        raise Stop(f"The demo account {email} could not sign in at {address}.")


if __name__ == "__main__":
    main()
