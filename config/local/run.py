"""`make run`: Guildhall on this machine, from a fresh checkout to an address that answers.

This half runs on the system's Python and makes ready; `config.local.serve` goes on in the virtual environment, as the
same process.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import time
from urllib.parse import parse_qs, unquote, urlsplit

from config.local import prepare
from config.local.prepare import Stop

ADDRESS_SHAPE = "DATABASE_URL must look like postgresql://user:password@host:5432/name."


def main() -> None:
    with prepare.one_sentence():
        started = time.time()
        prepare.require_python()
        prepare.stop_on_signals()
        port = read_port()
        lock_folder(port)
        require_free(os.environ.get("HOST") or "127.0.0.1", port)
        require_reachable(os.environ.get("DATABASE_URL", "").strip())
        prepare.require_node()
        prepare.say("Guildhall")
        prepare.python_packages(prepare.RUNTIME_LOCK)
        prepare.npm_packages()
        prepare.client()
        path = f"{prepare.VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        os.environ.update(PATH=path, PORT=str(port), GUILDHALL_STARTED=str(started))
        os.chdir(prepare.ROOT)
        python = str(prepare.VENV_PYTHON)
        os.execv(python, [python, "-m", "config.local.serve"])


def read_port() -> int:
    text = os.environ.get("PORT", "").strip() or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Stop(f"PORT is {text!r}; it must be a number from 1 to 65535.")
    return int(text)


def lock_folder(port: int) -> None:
    """Hold this data folder for as long as the process lives, so that no two of them share its database."""
    run = prepare.data_dir() / "run"
    run.mkdir(parents=True, exist_ok=True)
    lock = os.open(str(run / "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(lock, 200).decode(errors="replace").strip()
        raise Stop(f"Guildhall already runs from {prepare.data_dir()} ({holder}); stop that one first.") from None
    os.ftruncate(lock, 0)
    os.write(lock, f"process {os.getpid()}, port {port}".encode())
    # The other half of this command inherits it.
    os.set_inheritable(lock, True)


def require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise Stop(f"Port {port} may be opened by root only; choose another with PORT=8000 make run.") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Stop(
                    f"Port {port} is in use; stop what listens there, or choose another with PORT={port + 1} make run."
                ) from None
            raise Stop(f"Guildhall cannot listen on {host}:{port}: {error.strerror}.") from None


def require_reachable(url: str) -> None:
    """Stop when nothing listens at `DATABASE_URL`. Whether it is a good PostgreSQL is asked later, with its driver."""
    if not url:
        return
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise Stop(ADDRESS_SHAPE)
    if parse_qs(parts.query).get("host"):
        return
    reason = ""
    for host, port in hosts(url):
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError as error:
            reason = error.strerror or str(error) or "no answer"
    raise Stop(f"The database of DATABASE_URL cannot be reached at {place(url)}: {reason.lower()}.")


def hosts(url: str) -> list[tuple[str, int]]:
    """The hosts and ports in a libpq address, which may list several."""
    found = []
    for each in urlsplit(url).netloc.rpartition("@")[2].split(","):
        match = re.fullmatch(r"(\[[^]]*\]|[^:]*)(?::(\d{1,5}))?", each)
        if match is None or int(match[2] or 0) > 65535:
            raise Stop(ADDRESS_SHAPE)
        found.append((unquote(match[1].strip("[]")) or "localhost", int(match[2] or 5432)))
    return found


def place(url: str) -> str:
    """Where `url` leads, for people: without user and password."""
    directory = parse_qs(urlsplit(url).query).get("host")
    return directory[0] if directory else ", ".join(f"{host}:{port}" for host, port in hosts(url))


if __name__ == "__main__":
    main()
