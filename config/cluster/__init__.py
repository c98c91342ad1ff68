"""The whole topology on this machine: nginx, web nodes, gateways, jobs, Redis, pgpool and three PostgreSQL servers.

`make cluster` is its command line (`python -m config.cluster up|status|down`). In tests:

    with Cluster(folder) as cluster:             # built, started, and ready
        cluster.web[0].kill()                    # also pause(), resume(), stop(), start(), restart()
        cluster.gateways, cluster.jobs           # the same
        cluster.redis.kill()
        cluster.pg.primary().pause()             # its nodes: kill(), pause(), resume(), ask(sql)
        cluster.pg.rejoin(node)                  # the one way back for a server that was lost
        cluster.pools.leader().kill()            # a pgpool node
        cluster.url                              # nginx
        cluster.connect()                        # psycopg2, to the primary
        cluster.manage("audit_ledger")

Everything listens on 127.0.0.1, keeps its data in `folder`, and writes to `folder/NAME.log`.
"""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg2

from config.cluster.pgpool import Pools
from config.cluster.postgres import APPLICATION, Servers, address
from config.cluster.programs import ROOT, Program, accepts, find, free_ports, wait_until


class Cluster:
    """The parts of one cluster. A folder that was used before is gone on with: same ports, same secrets, same data.

    Without `pools` the application goes straight to the servers by an address that names them all; somebody then has
    to call `failover.sh` when the primary is lost (`config.cluster.watch` does).
    """

    def __init__(
        self,
        folder: Path,
        *,
        web: int = 3,
        gateways: int = 2,
        jobs: int = 2,
        pools: bool = True,
        port: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run").mkdir(exist_ok=True)
        plan = self._plan(web, gateways, port)
        self._plan_read = plan
        words: dict[str, str] = plan["secrets"]
        postgres = folder / "postgres"
        postgres.mkdir(exist_ok=True)
        self.pg = Servers(postgres, plan["postgres"], words)
        pool_folder = folder / "pgpool"
        pool_folder.mkdir(exist_ok=True)
        self.pools = (
            Pools(pool_folder, self.pg, [tuple(each) for each in plan["pgpool"]], words["pcp"]) if pools else None
        )
        self.port: int = plan["nginx"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = self._environment(plan, env or {})
        run = folder / "run"
        redis_data = folder / "redis"
        redis_data.mkdir(exist_ok=True)
        self.redis = Program(
            "redis",
            [find("redis-server"), "--port", str(plan["redis"]), "--bind", "127.0.0.1", "--dir", redis_data,
             "--requirepass", words["redis"], "--save", "", "--appendonly", "no"],
            run,
            ready=lambda: accepts(plan["redis"]),
        )  # fmt: skip
        self.web = [self._web(number, each) for number, each in enumerate(plan["web"], 1)]
        self.gateways = [self._gateway(number, each) for number, each in enumerate(plan["gateways"], 1)]
        self.jobs = [
            Program(f"jobs{number}", [sys.executable, "manage.py", "jobs"], run,
                    env={**self.env, "NODE_NAME": f"jobs{number}"}, ready=lambda: True)
            for number in range(1, jobs + 1)
        ]  # fmt: skip
        self.nginx = Program(
            "nginx",
            [find("nginx"), "-e", run / "nginx-error.log", "-p", run, "-c", folder / "nginx.conf"],
            run,
            ready=lambda: _answers(f"{self.url}/readyz"),
        )

    def __enter__(self) -> "Cluster":
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.down()

    @property
    def programs(self) -> list[Program]:
        """All but PostgreSQL, in the order of starting."""
        pools = self.pools.nodes if self.pools else []
        return [self.redis, *pools, *self.web, *self.gateways, *self.jobs, self.nginx]

    def up(self) -> None:
        """Start what does not run, from the database to the door, and wait until all of it is ready."""
        self.pg.start()
        self.redis.start()
        if self.pools:
            self.pools.start()
        self.manage("release")
        for each in [*self.web, *self.gateways, *self.jobs]:
            each.start(wait=False)
        for each in [*self.web, *self.gateways]:
            each.wait()
        self._write_nginx()
        self.nginx.start()

    def down(self) -> None:
        """Stop everything, from the door to the database. What does not end when asked is killed."""
        for each in [self.nginx, *self.jobs, *self.gateways, *self.web]:
            each.stop()
        if self.pools:
            self.pools.stop()
        self.redis.stop()
        self.pg.stop()

    def connect(self, **options: Any) -> Any:
        """A connection to the primary as the application. Raises psycopg2.OperationalError."""
        connection = psycopg2.connect(self.pg.url(target_session_attrs="read-write", connect_timeout="2"), **options)
        connection.autocommit = True
        return connection

    def manage(self, *arguments: str) -> str:
        """Run a management command as on one of the nodes; what it writes. Raises RuntimeError."""
        return self._run([sys.executable, "manage.py", *arguments], "")

    def seed(self, *names: str, money: Sequence[int] = ()) -> list[dict[str, str]]:
        """New users with tokens: `id`, `email`, `token`. `money` fills the first users' purses."""
        wanted = json.dumps({"names": names, "money": list(money)})
        users: list[dict[str, str]] = json.loads(self._run([sys.executable, "-m", "bench.seed"], wanted))
        return users

    def rejoin(self, node: Any) -> None:
        """Bring a server back that was lost, and wait until the coordinators take it as up again."""
        self.pg.rejoin(node)
        if self.pools:
            wait_until(self.pools.is_settled, 60, f"the coordinators see {node.name}")

    def status(self) -> list[tuple[str, str, str]]:
        """(part, address, state) of everything."""
        primaries = [node for node in self.pg.nodes if node.is_primary()]
        end = primaries[0].ask("SELECT pg_current_wal_flush_lsn()::text") if primaries else None
        rows = [(node.name, f"127.0.0.1:{node.port}", self._state_of(node, end)) for node in self.pg.nodes]
        leader = None
        if self.pools:
            try:
                leader = self.pools.leader()
            except LookupError:
                leader = None
        for each in self.programs:
            state = "down" if each.pid is None else "up" if each.is_up() else "not ready"
            if self.pools and each in self.pools.nodes and state == "up":
                seen = zip(self.pg.nodes, self.pools.sees(self.pools.nodes.index(each)), strict=False)
                state += "".join([", leader" if each is leader else "", *(f", {node.name} {it}" for node, it in seen)])
            rows.append((each.name, self._addresses.get(each.name, ""), state))
        return rows

    # How it is made

    @property
    def _addresses(self) -> dict[str, str]:
        plan = self._plan_read
        named = {"redis": plan["redis"], "nginx": plan["nginx"]}
        named |= {f"web{number}": port for number, port in enumerate(plan["web"], 1)}
        named |= {f"gateway{number}": port for number, port in enumerate(plan["gateways"], 1)}
        named |= {f"pgpool{number}": ports[0] for number, ports in enumerate(plan["pgpool"])}
        return {name: f"127.0.0.1:{port}" for name, port in named.items()}

    def _state_of(self, node: Any, end: str | None) -> str:
        """What a server is; of a standby also how far it is behind `end`, where the primary's WAL ends."""
        if not node.is_up():
            return "down"
        if node.is_primary():
            return "primary"
        streams = "streaming" if node.streams() else "not streaming"
        if end is None:
            return f"standby, {streams}"
        behind = node.ask("SELECT GREATEST(pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn()), 0)", [end])
        return f"standby, {streams}, {int(behind):,} bytes behind"

    def _plan(self, web: int, gateways: int, port: int | None) -> dict[str, Any]:
        """Ports and secrets, chosen the first time and kept."""
        path = self.folder / "plan.json"
        if path.exists():
            plan: dict[str, Any] = json.loads(path.read_text())
            return plan
        ports = iter(free_ports(3 + 12 + web + gateways + 2))
        users = ("postgres", "repl", "hc", APPLICATION, "watchdog", "pcp", "redis", "key")
        plan = {
            "secrets": {user: secrets.token_hex(16) for user in users},
            "postgres": [next(ports) for _ in range(3)],
            "pgpool": [[next(ports) for _ in range(4)] for _ in range(3)],
            "redis": next(ports),
            "nginx": port or next(ports),
            "web": [next(ports) for _ in range(web)],
            "gateways": [next(ports) for _ in range(gateways)],
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(plan, indent=1))
        return plan

    def _environment(self, plan: Mapping[str, Any], more: Mapping[str, str]) -> dict[str, str]:
        words = plan["secrets"]
        straight = self.pg.url(target_session_attrs="read-write", connect_timeout="2")
        replicas = [
            address([port], APPLICATION, words[APPLICATION], APPLICATION, connect_timeout="2")
            for port in plan["postgres"]
        ]
        inherited = {name: value for name, value in os.environ.items() if name not in ("TEST_DATABASE_URL", "PORT")}
        return {
            **inherited,
            "GUILDHALL_MODE": "production",
            "GUILDHALL_DATA": str(self.folder / "node"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": words["key"],
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "PUBLIC_URL": self.url,
            "DATABASE_URL": self.pools.url if self.pools else straight,
            "LISTEN_URL": straight,
            "REPLICA_URLS": ",".join(each.replace(",", "%2C") for each in replicas),
            "REDIS_URL": f"redis://:{words['redis']}@127.0.0.1:{plan['redis']}/0",
            "BEHIND_PROXY": "1",
            "WEB_CONCURRENCY": "1",
            "WEB_THREADS": "8",
            "WEB_NODES": str(len(plan["web"])),
            "LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": "ignore",
            "PYTHONUNBUFFERED": "1",
            **more,
        }

    def _web(self, number: int, port: int) -> Program:
        name = f"web{number}"
        program = Program(
            name,
            [sys.executable, "-m", "gunicorn", "config.wsgi", "-c", "config/gunicorn.conf.py"],
            self.folder / "run",
            env={**self.env, "PORT": str(port), "NODE_NAME": name},
            ready=lambda: _answers(f"http://127.0.0.1:{port}/readyz"),
        )
        program.url = f"http://127.0.0.1:{port}"  # type: ignore[attr-defined]
        return program

    def _gateway(self, number: int, port: int) -> Program:
        name = f"gateway{number}"
        return Program(
            name,
            [sys.executable, "-m", "config.gateway"],
            self.folder / "run",
            env={**self.env, "PORT": str(port), "NODE_NAME": name},
            ready=lambda: _answers(f"http://127.0.0.1:{port}/healthz"),
        )

    def _write_nginx(self) -> None:
        from config import nginx

        plan = self._plan_read
        text = nginx.render(
            web=[f"127.0.0.1:{port}" for port in plan["web"]],
            gateways=[f"127.0.0.1:{port}" for port in plan["gateways"]],
            listen=f"127.0.0.1:{self.port}",
            client=Path(self.env.get("CLIENT_DIST") or ROOT / "client" / "dist"),
            prefix=self.folder / "run",
            max_connections=8,
            read_timeout=4,
        )
        (self.folder / "nginx.conf").write_text(text)

    def _run(self, command: Sequence[str], text: str) -> str:
        done = subprocess.run(command, cwd=ROOT, env=self.env, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command[1:3])} failed:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
        return done.stdout


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def seconds_until_answered(url: str, patience: float = 30) -> float:
    """How long `url` takes to answer again."""
    started = time.monotonic()
    wait_until(lambda: _answers(url), patience, f"{url} answers")
    return time.monotonic() - started
