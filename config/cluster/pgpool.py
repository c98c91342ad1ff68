"""Three pgpool-II nodes with watchdog before the servers. Settings: `config/pgpool/pgpool.conf`."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from string import Template

from config.cluster.postgres import APPLICATION, Servers, address
from config.cluster.programs import FAILOVER, Program, accepts, as_database_user, find, own, wait_until

CHILDREN = 90
"""Sessions that one of them serves. More wait in its backlog, so clients need a connect_timeout."""


class Pools:
    """`ports` has (client, pcp, watchdog, heartbeat) of each."""

    def __init__(self, folder: Path, servers: Servers, ports: Sequence[tuple[int, int, int, int]], pcp: str) -> None:
        self.folder, self.servers, self.ports, self._pcp = folder, servers, ports, pcp
        self.nodes = [
            Program(
                f"pgpool{number}",
                as_database_user(
                    [find("pgpool"), "-n", "-D", "-f", home / "pgpool.conf", "-F", home / "pcp.conf",
                     "-a", home / "pool_hba.conf"]
                ),
                folder,
                env=servers.env,
                ready=lambda port=port: accepts(port),
            )
            for number, (port, *_) in enumerate(ports)
            for home in [folder / f"pool{number}"]
        ]  # fmt: skip

    @property
    def url(self) -> str:
        secret = self.servers.secrets[APPLICATION]
        return address([port for port, *_ in self.ports], APPLICATION, secret, APPLICATION, connect_timeout="3")

    def start(self) -> None:
        """Start all three, and wait until one has become leader and all servers are up for it."""
        for number in range(len(self.nodes)):
            self._configure(number)
        for node in self.nodes:
            node.start(wait=False)
        wait_until(self.is_settled, 60, "pgpool has a leader and sees all servers")

    def stop(self) -> None:
        for node in reversed(self.nodes):
            node.stop(patience=10)

    def leader(self) -> Program:
        """Whom the watchdogs have elected. Raises LookupError."""
        for _, pcp, *_ in self.ports:
            for line in self._ask("pcp_watchdog_info", pcp).splitlines():
                words = line.split()
                if "LEADER" in words:
                    watchdog = next((word for word in words if word.isdigit() and int(word) in self._watchdogs()), "")
                    if watchdog:
                        return self.nodes[self._watchdogs()[int(watchdog)]]
        raise LookupError("The coordinators have no leader.")

    def is_settled(self) -> bool:
        """Whether there is a leader, and every coordinator that runs takes every server to be up."""
        try:
            self.leader()
        except LookupError:
            return False
        return all(self.sees(number) == ["up"] * len(self.servers.nodes) for number in range(len(self.nodes)))

    def sees(self, number: int) -> list[str]:
        """The state of each server in the eyes of one coordinator: up, down, waiting, …"""
        states = []
        for line in self._ask("pcp_node_info", self.ports[number][1], "-a").splitlines():
            words = line.split()
            if len(words) > 4:
                states.append("down" if "down" in words[4:5] else "up" if words[4] in ("up", "waiting") else words[4])
        return states

    def _watchdogs(self) -> dict[int, int]:
        return {watchdog: number for number, (_, _, watchdog, _) in enumerate(self.ports)}

    def _ask(self, program: str, pcp: int, *arguments: str) -> str:
        passwords = self.folder / "pcppass"
        command = [find(program), "-h", "127.0.0.1", "-p", str(pcp), "-U", "pcp", "-w", *arguments]
        env = {**self.servers.env, "PCPPASSFILE": str(passwords)}
        try:
            done = subprocess.run(
                as_database_user(command), env=env, capture_output=True, text=True, check=False, timeout=5
            )
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout if done.returncode == 0 else ""

    def _configure(self, number: int) -> None:
        """Write one node's files. They hold passwords, so only the database's user may read them."""
        port, pcp, _, _ = self.ports[number]
        home = self.folder / f"pool{number}"
        run = home / "run"
        run.mkdir(parents=True, exist_ok=True)
        own(home)
        own(run)
        secrets = self.servers.secrets
        backends = "\n".join(
            f"backend_hostname{node.number} = '127.0.0.1'\nbackend_port{node.number} = {node.port}\n"
            f"backend_weight{node.number} = 1\nbackend_flag{node.number} = 'ALLOW_TO_FAILOVER'\n"
            f"backend_data_directory{node.number} = '{node.data}'\n"
            f"backend_application_name{node.number} = '{node.name}'"
            for node in self.servers.nodes
        )
        watchdogs = "\n".join(
            f"hostname{each} = '127.0.0.1'\nwd_port{each} = {watchdog}\npgpool_port{each} = {client}\n"
            f"heartbeat_hostname{each} = '127.0.0.1'\nheartbeat_port{each} = {heartbeat}\nheartbeat_device{each} = ''"
            for each, (client, _, watchdog, heartbeat) in enumerate(self.ports)
        )
        template = Template((FAILOVER / "pgpool.conf").read_text())
        conf = template.substitute(
            listen="127.0.0.1",
            children=CHILDREN,
            folder=home,
            run=run,
            backends=backends,
            watchdogs=watchdogs,
            authkey=secrets["watchdog"],
            failover=FAILOVER / "failover.sh",
            nodes=self.servers.list,
            port=port,
            pcp_port=pcp,
        )
        self._write(home / "pgpool.conf", conf)
        self._write(home / "pgpool_node_id", str(number))
        users = (APPLICATION, "hc", "postgres")
        self._write(home / "pool_passwd", "".join(f"{user}:TEXT{secrets[user]}\n" for user in users))
        self._write(home / "pool_hba.conf", "host all all 127.0.0.1/32 scram-sha-256\n")
        self._write(home / "pcp.conf", f"pcp:{_md5(self._pcp)}\n")
        self._write(self.folder / "pcppass", f"*:*:pcp:{self._pcp}\n")

    def _write(self, path: Path, text: str) -> None:
        path.touch(mode=0o600)
        path.write_text(text)
        own(path)


def _md5(text: str) -> str:
    """What pgpool's `pcp.conf` wants; nothing of ours is protected by it."""
    import hashlib

    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
