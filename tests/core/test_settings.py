"""What an installation must not start with."""

import os
import subprocess
import sys

import pytest

GOOD = {
    "GUILDHALL_MODE": "production",
    "SECRET_KEY": "a secret of one's own, and nobody else's",
    "ALLOWED_HOSTS": "guildhall.example",
}


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
        ({"SECRET_KEY": "change-me"}, "SECRET_KEY"),
        ({"SECRET_KEY": "secret" * 10}, "SECRET_KEY"),
        ({"SECRET_KEY": "django-insecure-0123456789abcdefghijklmnopqrstuvwxyz0123456789"}, "SECRET_KEY"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
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


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_it_starts_with_what_heroku_gives(scheme):
    given = {
        "DATABASE_URL": f"{scheme}://user:p%40ss@ec2-1.example.org:5432/name",
        "REDIS_URL": "rediss://:word@ec2-2.example.org:6380",
        "PORT": "31234",
    }
    code = (
        "from config.settings import DATABASES, PORT, REDIS_URL; database = DATABASES['default'];"
        " print(database['HOST'], database['PASSWORD'], database['NAME'], REDIS_URL, PORT)"
    )
    env = {"PATH": os.environ["PATH"], **GOOD, **given}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ec2-1.example.org", "p@ss", "name", given["REDIS_URL"], given["PORT"]]


def test_the_command_line_says_why_in_one_sentence():
    env = {name: value for name, value in os.environ.items() if name == "PATH"}
    command = [sys.executable, "manage.py", "audit_ledger"]
    done = subprocess.run(command, env={**env, **GOOD, "SECRET_KEY": ""}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["SECRET_KEY is not set. Give this installation a secret of its own."]
