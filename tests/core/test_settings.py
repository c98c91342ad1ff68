"""What an installation must not start with."""

import os
import subprocess
import sys

import pytest

GOOD = {"GUILDHALL_MODE": "production", "SECRET_KEY": "a secret of one's own", "ALLOWED_HOSTS": "guildhall.example"}


def start(**env: str) -> subprocess.CompletedProcess[str]:
    base = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "DATABASE_URL", "LANG")}
    return subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        env={**base, **GOOD, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_production_installation_with_its_own_secret_and_hosts_starts():
    done = start()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("env", "word"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "guildhall.example,*"}, "ALLOWED_HOSTS"),
        ({"DEBUG": "1"}, "DEBUG"),
        ({"DEBUG": "perhaps"}, "DEBUG"),
        ({"GUILDHALL_MODE": "prod"}, "GUILDHALL_MODE"),
        ({"PORT": "eighty"}, "PORT"),
    ],
)
def test_it_does_not_start_with(env, word):
    done = start(**env)
    assert done.returncode != 0
    assert word in done.stderr.splitlines()[-1]


def test_the_command_line_says_why_in_one_sentence():
    env = {name: value for name, value in os.environ.items() if name == "PATH"}
    command = [sys.executable, "manage.py", "audit_ledger"]
    done = subprocess.run(command, env={**env, **GOOD, "SECRET_KEY": ""}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["SECRET_KEY is not set. Give this installation a secret of its own."]
