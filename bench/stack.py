"""The real stack for benchmarks and for tests of processes: PostgreSQL, gunicorn and jobs, on ports of their own."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from config.local import database

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Stack:
    """A running Guildhall. `url` is its address, `data` the folder of its database, secret and mail.

    Without `release` the data must be that of a stack which has been stopped. `quiet` sends what the processes write
    to the file `output` in the data folder. With `gateway` there is one, and pages are told where.
    """

    def __init__(
        self,
        data: Path,
        *,
        workers: int = 2,
        jobs: bool = True,
        release: bool = True,
        start: bool = True,
        quiet: bool = False,
        gateway: bool = False,
        **env: str,
    ) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = database.start(data / "postgres")
        self.database_url = database.url_of(self.server, "guildhall")
        self.env = {
            **os.environ,
            "GUILDHALL_MODE": "local",
            "GUILDHALL_DATA": str(data),
            "DATABASE_URL": self.database_url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "WEB_CONCURRENCY": str(workers),
            "LOG_LEVEL": "WARNING",
            "RATE_LIMIT_USER": "100000000",
            "RATE_LIMIT_APPLICATION": "100000000",
            "RATE_LIMIT_ADDRESS": "100000000",
            "PYTHONWARNINGS": "ignore",
            **env,
        }
        self.web: subprocess.Popen[bytes] | None = None
        self.jobs: subprocess.Popen[bytes] | None = None
        self.gateway: subprocess.Popen[bytes] | None = None
        self._with_jobs, self._with_gateway = jobs, gateway
        if gateway:
            self.gateway_port = free_port()
            self.env |= {
                "GATEWAY_PORT": str(self.gateway_port),
                "GATEWAY_URL": f"ws://127.0.0.1:{self.gateway_port}",
            }
        self._output = (data / "output").open("ab") if quiet else None
        try:
            if release:
                self.manage("release")
            if start:
                self.start()
        except BaseException:
            self.stop()
            raise

    def start(self) -> None:
        """Start the processes, and wait until they are ready."""
        self.start_web()
        if self._with_jobs:
            self.start_jobs()
        if self._with_gateway:
            self.start_gateway()

    def start_web(self) -> None:
        self.web = self._start("-m", "gunicorn", "config.wsgi", "-c", "config/gunicorn.conf.py")
        _wait_until_ready(self.web, self.url)

    def start_gateway(self) -> None:
        self.gateway = self._start("-m", "config.gateway")
        _wait_until_ready(self.gateway, f"http://127.0.0.1:{self.gateway_port}")

    def start_jobs(self) -> None:
        self.jobs = self._start("manage.py", "jobs")

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=self._output, stderr=self._output)

    def kill_web(self) -> None:
        """End the web node as a power cut would: no chance to finish anything."""
        if self.web is not None:
            for process in [*psutil.Process(self.web.pid).children(recursive=True), psutil.Process(self.web.pid)]:
                process.send_signal(signal.SIGKILL)
            self.web.wait()
            self.web = None

    def kill_gateway(self) -> None:
        """The same for the gateway."""
        if self.gateway is not None:
            self.gateway.kill()
            self.gateway.wait()
            self.gateway = None

    def stop(self) -> None:
        for process in (self.web, self.jobs, self.gateway):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(timeout=30)
                except subprocess.TimeoutExpired:
                    process.kill()
        self.server.stop()
        # What the library does at exit would make the lock's folder again.
        atexit.unregister(self.server._cleanup)
        if self._output is not None:
            self._output.close()

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run a management command; its standard output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {arguments[0]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done.stdout

    def seed(self, *names: str, money: Sequence[int] = ()) -> list[dict[str, str]]:
        """Users with tokens, in order: `id`, `email`, `token`. `money` fills the first users' purses."""
        wanted = json.dumps({"names": names, "money": list(money)})
        done = subprocess.run(
            [sys.executable, "-m", "bench.seed"],
            cwd=ROOT,
            env=self.env,
            input=wanted,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        users: list[dict[str, str]] = json.loads(done.stdout)
        return users

    def cpu(self) -> dict[str, float]:
        """CPU seconds used so far: `web` (gunicorn and its workers), `database` (all of PostgreSQL), `jobs`."""
        assert self.web is not None
        postmaster = int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])
        jobs = cpu_of_family(self.jobs.pid) if self.jobs is not None else 0.0
        return {"web": cpu_of_family(self.web.pid), "database": cpu_of_family(postmaster), "jobs": jobs}

    def web_rss(self) -> int:
        """Resident bytes of the largest web process."""
        assert self.web is not None
        return max(each.memory_info().rss for each in psutil.Process(self.web.pid).children(recursive=True))


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def cpu_of_family(pid: int) -> float:
    """CPU seconds of a process and all its children, those that have ended included."""
    parent = psutil.Process(pid)
    own = parent.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in parent.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return float(total)


@contextmanager
def running(data: Path, **options: Any) -> Iterator[Stack]:
    stack = Stack(data, **options)
    try:
        yield stack
    finally:
        stack.stop()
