"""Finding, starting, stopping and killing the programs of a cluster."""

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
FAILOVER = ROOT / "config" / "pgpool"


class Missing(Exception):
    """A program that a cluster needs is not installed."""


def find(name: str) -> Path:
    """Where `name` is. Debian keeps servers where no user's path leads. Raises Missing."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), Path("/usr/sbin"), Path("/usr/local/sbin")]
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *(str(each) for each in sorted(places, reverse=True))])
    found = shutil.which(name, path=path)
    if found is None:
        raise Missing(f"{name} is not installed.")
    return Path(found)


def postgres_folder() -> Path:
    """The programs of the newest PostgreSQL that a package manager has installed. Raises Missing."""
    folders = [each for each in Path("/usr/lib/postgresql").glob("*/bin") if (each / "initdb").exists()]
    if folders:
        return max(folders, key=lambda each: float(each.parent.name))
    return find("initdb").resolve().parent


def missing() -> list[str]:
    """What a cluster needs and this machine has not, in words."""
    wanted = {"nginx": "nginx", "redis-server": "redis-server", "pgpool": "pgpool2", "setpriv": "util-linux"}
    lacking = []
    for program, package in wanted.items():
        try:
            find(program)
        except Missing:
            lacking.append(package)
    try:
        postgres_folder()
    except Missing:
        lacking.append("postgresql")
    return lacking


def database_user() -> pwd.struct_passwd | None:
    """Whom PostgreSQL and pgpool run as where this process is root, which PostgreSQL refuses; else None: oneself."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def as_database_user(command: Sequence[str | Path]) -> list[str]:
    words = [str(each) for each in command]
    if (user := database_user()) is None:
        return words
    return [str(find("setpriv")), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--", *words]


def own(path: Path) -> Path:
    """Give a file or folder to whoever the database runs as."""
    if (user := database_user()) is not None:
        os.chown(path, user.pw_uid, user.pw_gid)
    return path


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at, all different.

    None of those that the kernel gives to outgoing connections: one of them could take a port while the program that it
    belongs to is being restarted.
    """
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    end = int(ephemeral.read_text().split()[0]) if ephemeral.exists() else 32768
    found: list[int] = []
    for port in random.sample(range(10_000, max(end, 20_000)), 2_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            break
    return found


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll until `true`. Raises TimeoutError, which names `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s.")
        time.sleep(0.05)


def accepts(port: int) -> bool:
    """Whether somebody listens at a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Program:
    """One long-running program, the leader of a process group of its own.

    `pid_file` remembers it for later commands; `log` has what it writes.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        ready: Callable[[], bool],
        patience: float = 60,
    ) -> None:
        self.name = name
        self.command = [str(each) for each in command]
        self.env = None if env is None else dict(env)
        self.log = folder / f"{name}.log"
        self.pid_file = folder / f"{name}.started"
        self._ready = ready
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running process, also when an earlier command started it."""
        if self._process is not None:
            return self._process.pid if self._process.poll() is None else None
        try:
            number, started = self.pid_file.read_text().split()
            process = psutil.Process(int(number))
            if abs(process.create_time() - float(started)) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                return process.pid
        except (OSError, ValueError, psutil.NoSuchProcess):
            pass
        return None

    def start(self, *, wait: bool = True) -> None:
        """Start it unless it runs, and wait until it is ready."""
        if self.pid is None:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self.command,
                    cwd=ROOT,
                    env=self.env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            started = psutil.Process(self._process.pid).create_time()
            self.pid_file.write_text(f"{self._process.pid} {started}")
        if wait:
            self.wait()

    def wait(self) -> None:
        """Wait until it is ready. Raises TimeoutError, or RuntimeError with its last lines when it has ended."""

        def ready() -> bool:
            if self.pid is None:
                lines = self.log.read_text(errors="replace").splitlines()[-15:]
                raise RuntimeError("\n".join([f"{self.name} ended instead of starting:", *lines]))
            return self._ready()

        wait_until(ready, self._patience, f"{self.name} is ready")

    def is_up(self) -> bool:
        """Whether it runs and is ready now."""
        return self.pid is not None and self._ready()

    def stop(self, patience: float = 30) -> None:
        """Ask it to end, and end it by force when it does not."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGCONT)
        os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: self.pid is None, patience, f"{self.name} ends")
        self.kill()

    def kill(self) -> None:
        """End it and all of its group as a power cut would."""
        pid = self._process.pid if self._process is not None else self.pid
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None
        self.pid_file.unlink(missing_ok=True)

    def restart(self, *, graceful: bool = True) -> None:
        if graceful:
            self.stop()
        else:
            self.kill()
        self.start()

    def pause(self) -> None:
        """Let all of its processes stand still (SIGSTOP): it neither answers nor hangs up."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if (pid := self.pid) is not None:
            os.killpg(pid, number)
