"""A real PostgreSQL of the tests' own. A pytest plugin (`-p tests.database`), so that it runs before Django reads
its settings.

Each run has a folder of its own, so that two may run at once. `GUILDHALL_TEST_DATA` keeps the server's data in a folder
and the server up between runs; `TEST_DATABASE_URL` uses another server.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

os.environ["GUILDHALL_MODE"] = "local"
os.environ["LOG_LEVEL"] = "CRITICAL"
_KEPT = "GUILDHALL_TEST_DATA" in os.environ
_DATA = Path(os.environ["GUILDHALL_TEST_DATA"] if _KEPT else tempfile.mkdtemp(prefix="guildhall-test-"))
_DATA.mkdir(parents=True, exist_ok=True)
os.environ["GUILDHALL_DATA"] = str(_DATA)

from config.local import database  # noqa: E402

if "TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
else:
    _server = database.start(_DATA / "postgres", extra="fsync = off\n")
    os.environ["DATABASE_URL"] = database.url_of(_server, "guildhall")


def pytest_unconfigure(config: pytest.Config) -> None:
    if _KEPT:
        return
    if "TEST_DATABASE_URL" not in os.environ:
        _server.stop()
    shutil.rmtree(_DATA, ignore_errors=True)
