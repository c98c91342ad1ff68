"""A PostgreSQL primary and its standbys on one machine."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from config.cluster.programs import FAILOVER, as_database_user, own, postgres_folder, wait_until

APPLICATION = "guildhall"
_CONF = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{run}'
max_connections = 400
shared_buffers = 128MB
wal_level = replica
wal_log_hints = on
max_wal_senders = 10
max_replication_slots = 10
wal_keep_size = 64MB
max_slot_wal_keep_size = 512MB
hot_standby = on
# Keeps nothing until a backup folder is named; to be on it would need a restart then.
archive_mode = on
archive_command = '/bin/true'
# The same text everywhere: a node is never its own standby.
synchronous_standby_names = 'FIRST 1 ({names})'
synchronous_commit = on
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
wal_retrieve_retry_interval = 500ms
log_min_messages = warning
"""
_HBA = """
local all         all                scram-sha-256
host  all         all  127.0.0.1/32  scram-sha-256
host  replication repl 127.0.0.1/32  scram-sha-256
"""


class Node:
    """One server. Nothing but `Servers.start` and `rejoin.sh` starts it."""

    def __init__(self, number: int, port: int, folder: Path, secrets: Mapping[str, str]) -> None:
        self.number, self.port, self.folder = number, port, folder
        self.name = f"pg{number + 1}"
        self.data = folder / self.name
        self._secrets = secrets

    def connect(self, user: str = "postgres", name: str = "postgres", **options: Any) -> Any:
        """A connection straight to this server, committing by itself."""
        options.setdefault("connect_timeout", 2)
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user=user, password=self._secrets[user], dbname=name, **options
        )
        connection.autocommit = True
        return connection

    def ask(self, sql: str, values: Sequence[Any] = (), *, name: str = "postgres") -> Any:
        """The first value of a query's first row in the database `name`; None without one. Raises psycopg2.Error."""
        connection = self.connect(name=name)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                row = cursor.fetchone() if cursor.description else None
                return row[0] if row else None
        finally:
            connection.close()

    def is_primary(self) -> bool:
        return self._says("SELECT NOT pg_is_in_recovery()")

    def is_up(self) -> bool:
        return self._says("SELECT true")

    def streams(self) -> bool:
        """Whether it is a standby that receives from its primary."""
        return self._says("SELECT count(*) = 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'")

    def _says(self, sql: str) -> bool:
        # A server that stands still takes the connection and says nothing.
        if self._stands_still():
            return False
        with suppress(psycopg2.Error):
            return bool(self.ask(sql))
        return False

    @property
    def pid(self) -> int | None:
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            process = psutil.Process(pid)
            return pid if process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return None

    def kill(self) -> None:
        """End postmaster and children as a power cut would."""
        self._signal(signal.SIGKILL)
        wait_until(lambda: self.pid is None, 10, f"{self.name} is gone")

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid
        if pid is None:
            return
        parent = psutil.Process(pid)
        # The parent first, so that it replaces no child.
        for process in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                os.kill(process.pid, number)

    def _stands_still(self) -> bool:
        pid = self.pid
        try:
            return pid is None or psutil.Process(pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return True

    def timeline(self) -> int:
        """The newest timeline that it has WAL of, read from its files."""
        files = (self.data / "pg_wal").glob("[0-9A-F]" * 24)
        return max((int(file.name[:8], 16) for file in files), default=0)

    def options(self) -> str:
        """What differs between the servers, given on the command line: pg_rewind copies configuration files."""
        return f"-p {self.port} -c cluster_name={self.name} -c primary_slot_name=s_{self.name}"


class Servers:
    """A primary with standbys by streaming, the first of which to connect is synchronous."""

    def __init__(self, folder: Path, ports: Sequence[int], secrets: Mapping[str, str]) -> None:
        self.folder, self.secrets = folder, secrets
        self.nodes = [Node(number, port, folder, secrets) for number, port in enumerate(ports)]
        self.list = folder / "nodes"
        self.passwords = folder / "pgpass"
        self._bin = postgres_folder()
        self.env = {
            **os.environ,
            "PGBIN": str(self._bin),
            "PGPASSFILE": str(self.passwords),
            "PGUSER": "postgres",
            "REPLICATION_USER": "repl",
            "LC_ALL": "C.UTF-8",
        }

    # What is there

    def primary(self) -> Node:
        """The node that is primary. Raises LookupError while there is none, or more than one."""
        found = [node for node in self.nodes if node.is_primary()]
        if len(found) != 1:
            raise LookupError(f"{len(found)} nodes are primary.")
        return found[0]

    def standbys(self) -> list[Node]:
        """The others, the synchronous one first."""
        primary = self.primary()
        synchronous = primary.ask("SELECT application_name FROM pg_stat_replication WHERE sync_state = 'sync'")
        return sorted((node for node in self.nodes if node is not primary), key=lambda node: node.name != synchronous)

    def url(self, *, name: str = APPLICATION, user: str = APPLICATION, **options: str) -> str:
        """An address that names every server; without `target_session_attrs` it leads to the first that answers."""
        return address([node.port for node in self.nodes], user, self.secrets[user], name, **options)

    # Making, starting, stopping

    def start(self) -> None:
        """Make the servers the first time; afterwards start whichever was primary last, and let the others follow."""
        if not self.list.exists():
            self._make()
            return
        if any(node.pid is not None for node in self.nodes):
            for node in self.nodes:
                if node.pid is None:
                    self.rejoin(node)
            return
        # Only what was primary has no standby.signal; each promotion begins a timeline, and the newest one counts.
        were = [node for node in self.nodes if not (node.data / "standby.signal").exists()]
        primary = max(were, key=Node.timeline)
        self._run_server(primary)
        for node in self.nodes:
            if node is not primary:
                self.rejoin(node)

    def stop(self) -> None:
        """Stop all of them: the primary first, so that its standbys have all it wrote."""
        nodes = sorted((node for node in self.nodes if node.pid is not None), key=lambda node: not node.is_primary())
        for node in nodes:
            node.resume()
            self._call("pg_ctl", "-D", node.data, "-m", "fast", "-s", "-w", "stop", check=False)

    def rejoin(self, node: Node) -> None:
        """Bring a node back that was lost, as a standby."""
        command = [FAILOVER / "rejoin.sh", self.list, str(node.number)]
        done = subprocess.run(as_database_user(command), env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{node.name} does not rejoin: {done.stdout[-1000:]}{done.stderr[-1000:]}")

    def fail_over(self, lost: Node, *, known: bool = True) -> None:
        """Do by hand what a coordinator does when a node is lost that was primary, or when it does not know who was."""
        command = [FAILOVER / "failover.sh", self.list, str(lost.number), str(lost.number) if known else "-1"]
        done = subprocess.run(as_database_user(command), env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"Nobody was promoted: {done.stdout[-1000:]}{done.stderr[-1000:]}")

    def _make(self) -> None:
        own(self.folder)
        run = own(_made(self.folder / "run"))
        self.passwords.write_text("".join(f"*:*:*:{user}:{word}\n" for user, word in self.secrets.items()))
        self.passwords.chmod(0o600)
        own(self.passwords)
        first, *others = self.nodes
        shutil.rmtree(first.data, ignore_errors=True)
        secret = own(_written(self.folder / "superuser", self.secrets["postgres"]))
        self._call("initdb", "-k", "-A", "scram-sha-256", "-U", "postgres", f"--pwfile={secret}", "-E", "UTF8",
                   "--locale=C.UTF-8", "-D", first.data)  # fmt: skip
        secret.unlink()
        names = ", ".join(node.name for node in self.nodes)
        with (first.data / "postgresql.conf").open("a") as conf:
            conf.write(_CONF.format(run=run, names=names))
        (first.data / "pg_hba.conf").write_text(_HBA)
        self._run_server(first, "-c synchronous_standby_names=")
        self._make_roles(first)
        for node in others:
            shutil.rmtree(node.data, ignore_errors=True)
            self._call("pg_basebackup", "-h", "127.0.0.1", "-p", str(first.port), "-U", "repl", "-w", "-D", node.data,
                       "-C", "-S", f"s_{node.name}", "-X", "stream", "-c", "fast")  # fmt: skip
        lines = (f"{node.number} 127.0.0.1 {node.port} {node.data} {node.name}\n" for node in self.nodes)
        own(_written(self.list, "".join(lines)))
        own(_written(self.folder / "nodes.lock", ""))
        for node in others:
            (own(_written(node.data / "standby.signal", "")))
            self.rejoin(node)
        self._call("pg_ctl", "-D", first.data, "-m", "fast", "-s", "-w", "stop")
        self._run_server(first)
        for node in others:
            wait_until(node.streams, 20, f"{node.name} streams")

    def _make_roles(self, node: Node) -> None:
        connection = node.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("CREATE ROLE repl LOGIN REPLICATION PASSWORD %s", [self.secrets["repl"]])
                cursor.execute("CREATE ROLE hc LOGIN PASSWORD %s", [self.secrets["hc"]])
                cursor.execute("GRANT pg_monitor TO hc")
                cursor.execute(f"CREATE ROLE {APPLICATION} LOGIN PASSWORD %s", [self.secrets[APPLICATION]])
                cursor.execute(f"CREATE DATABASE {APPLICATION} OWNER {APPLICATION}")
        finally:
            connection.close()

    def _run_server(self, node: Node, more: str = "") -> None:
        log = f"{node.data}.log"
        self._call("pg_ctl", "-D", node.data, "-w", "-s", "-l", log, "-o", f"{node.options()} {more}", "start")

    def _call(self, program: str, *arguments: str | Path, check: bool = True) -> None:
        command = as_database_user([self._bin / program, *arguments])
        # Not into pipes: a server that is started here would keep them open.
        with (self.folder / "commands.log").open("ab") as log:
            done = subprocess.run(command, env=self.env, stdout=log, stderr=log, cwd=self.folder, check=False)
        if check and done.returncode:
            told = (self.folder / "commands.log").read_text(errors="replace").splitlines()[-10:]
            raise RuntimeError("\n".join([f"{program} failed:", *told]))


def address(ports: Sequence[int], user: str, password: str, name: str, **options: str) -> str:
    """A libpq address of several ports of this machine."""
    hosts = ",".join("127.0.0.1" for _ in ports)
    query = "".join(f"&{key}={value}" for key, value in options.items())
    return f"postgresql://{user}:{password}@/{name}?host={hosts}&port={','.join(map(str, ports))}{query}"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
