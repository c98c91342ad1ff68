"""The second half of `make run`, in the virtual environment: database, demo, processes, until it is told to stop."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from io import StringIO
from pathlib import Path

import psutil
import psycopg2

from config.local import database, prepare
from config.local.prepare import Stop, say, step
from config.local.run import ADDRESS_SHAPE, place

OLDEST_POSTGRES = 15
_READY_WITHIN = 90


def main() -> None:
    prepare.stop_on_signals()
    parent = os.getppid() if "MAKELEVEL" in os.environ else None
    started = float(os.environ.pop("GUILDHALL_STARTED", time.time()))
    postgres = prepare.data_dir() / "postgres"
    with prepare.one_sentence():
        try:
            if url := os.environ.get("DATABASE_URL", "").strip():
                require_postgres(url)
                use_mode()
            else:
                start_embedded(postgres)
            accounts = prepare_database()
            code = serve(parent, started, accounts)
        except KeyboardInterrupt:
            code = 0
        finally:
            prepare.ignore_signals()
            stop_embedded(postgres)
    say("Stopped.")
    sys.exit(code)


# The database


def require_postgres(url: str) -> None:
    """Stop unless `url` leads to a database on a PostgreSQL that is new enough."""
    where = place(url)
    try:
        connection = psycopg2.connect(url, connect_timeout=5)
    except psycopg2.OperationalError as error:
        reason = str(error).splitlines()[0].rpartition(" failed: ")[2].removeprefix("FATAL:").strip().rstrip(".")
        raise Stop(f"The database of DATABASE_URL cannot be used at {where}: {reason}.") from None
    except psycopg2.ProgrammingError:
        raise Stop(ADDRESS_SHAPE) from None
    version = connection.server_version
    connection.close()
    if version < OLDEST_POSTGRES * 10_000:
        raise Stop(
            f"Guildhall needs PostgreSQL {OLDEST_POSTGRES} or later, and the one at {where} is"
            f" {version // 10_000}.{version % 10_000}."
        )


def start_embedded(directory: Path) -> None:
    """Start the embedded PostgreSQL and leave its address where `config.env` looks for it.

    A mark tells that this command started it, also to the next one, should this one be killed.
    """
    mark = _started_here()
    with step("Starting PostgreSQL"):
        if not database.is_running(directory):
            mark.touch()
        try:
            server = database.start(directory)
        except subprocess.SubprocessError:
            raise Stop(f"The embedded PostgreSQL does not start; {directory / 'log'} says why.") from None
        url = database.url_of(server, "guildhall")
    (prepare.data_dir() / "run" / "database-url").write_text(url)
    use_mode()


def stop_embedded(directory: Path) -> None:
    mark = _started_here()
    if mark.exists():
        with step("Stopping PostgreSQL"):
            database.stop(directory)
        mark.unlink()


def _started_here() -> Path:
    return prepare.data_dir() / "run" / "postgres-started"


def use_mode() -> None:
    """Make this checkout a local installation, also for `manage.py` in another terminal."""
    (prepare.data_dir() / "run" / "mode").write_text("local")
    os.environ["GUILDHALL_MODE"] = "local"
    os.environ.setdefault("PAYMENT_PROVIDERS", "api.ledger.providers.Play,api.ledger.providers.Manual")


def prepare_database() -> str:
    """Bring tables, static files and the demo up to date; safe every time. Returns the demo's accounts as text."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ.setdefault("LOG_FORMAT", "plain")
    import django
    from django.core.management import CommandError, call_command
    from django.db import DatabaseError, connections

    def command(name: str) -> str:
        output = StringIO()
        call_command(name, stdout=output)
        return output.getvalue()

    try:
        with step("Bringing the database up to date"):
            django.setup()
            command("release")
        with step("Loading the demo"):
            accounts = command("load_demo")
    except DatabaseError as error:
        raise Stop(f"The database refused to be brought up to date: {str(error).splitlines()[0]}.") from error
    except CommandError as error:
        raise Stop(f"The database could not be brought up to date: {str(error).rstrip('.')}.") from error
    finally:
        connections.close_all()
    return accounts.strip()


# The processes


def serve(parent: int | None, started: float, accounts: str) -> int:
    """Run the Procfile until one of its processes ends, a signal comes, or `parent` is gone. Returns the exit code."""
    port = os.environ["PORT"]
    address = f"http://127.0.0.1:{port}"
    # honcho gives each process type a port of its own; links must name that of the web.
    public = os.environ.setdefault("PUBLIC_URL", address)
    # No proxy stands before both, so pages are told where the gateway is.
    gateway = os.environ.setdefault("GATEWAY_PORT", str(free_port(int(port) + 100)))
    os.environ.setdefault("GATEWAY_URL", f"ws://127.0.0.1:{gateway}")
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "GUILDHALL_PARENT": str(os.getpid())}
    command = [sys.executable, "-m", "config.local.processes", "start", *long_running(), "-p", port, "-e", os.devnull]
    if not sys.stdout.isatty():
        command.append("--no-colour")
    family: set[psutil.Process] = set()
    say("  … Starting the processes of the Procfile")
    honcho = subprocess.Popen(command, cwd=prepare.ROOT, env=env, start_new_session=True)
    try:
        wait_until_ready(honcho, address)
        family |= descendants(honcho)
        say(banner(public, accounts, time.time() - started))
        while honcho.poll() is None and (parent is None or os.getppid() == parent):
            time.sleep(0.5)
        return honcho.returncode or 0
    finally:
        prepare.ignore_signals()
        family |= descendants(honcho)
        if honcho.poll() is None:
            honcho.terminate()
            try:
                honcho.wait(timeout=15)
            except subprocess.TimeoutExpired:
                honcho.kill()
        # honcho starts each process in a session of its own; whatever outlived it ends here.
        for process in family:
            if process.is_running():
                process.kill()


def free_port(first: int) -> int:
    """`first`, or the next port on which nothing listens."""
    for port in range(first, 65_536):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((os.environ.get("HOST") or "127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Stop(f"No port from {first} on is free for the gateway; choose one with GATEWAY_PORT=… make run.")


def long_running() -> list[str]:
    """The Procfile's process types but `release`, which has run and ended."""
    procfile = (prepare.ROOT / "Procfile").read_text()
    return [name for name in re.findall(r"^(\w+):", procfile, re.MULTILINE) if name != "release"]


def descendants(honcho: "subprocess.Popen[bytes]") -> set[psutil.Process]:
    try:
        return set(psutil.Process(honcho.pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return set()


def wait_until_ready(honcho: "subprocess.Popen[bytes]", address: str) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    reason = "no answer"
    while time.monotonic() < deadline:
        if honcho.poll() is not None:
            raise Stop("A process of the Procfile ended instead of starting; its last lines are above.")
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5):
                return
        except urllib.error.HTTPError as error:
            reason = _failing(error)
        except OSError:
            reason = "no answer"
        time.sleep(0.1)
    raise Stop(f"Guildhall was not ready within {_READY_WITHIN} s: {reason}.")


def _failing(error: urllib.error.HTTPError) -> str:
    try:
        return "not ready yet: " + ", ".join(json.load(error)["failing"])
    except (ValueError, KeyError):
        return f"it answers {error.code}"


def banner(address: str, accounts: str, seconds: float) -> str:
    lines = ["", f"Guildhall is ready at {address}  ({seconds:.1f} s)"]
    if accounts:
        lines += ["", accounts]
    return "\n".join([*lines, "", "Ctrl-C stops it.", ""])


if __name__ == "__main__":
    main()
