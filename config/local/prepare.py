"""What the commands need before they can start: Python and npm packages, the built client.

Runs on the system's Python with nothing installed, so it imports the standard library alone and parses on Python 3.7,
where it says what is missing. Each part is done again only when what it was made from has changed.
`python3 -m config.local.prepare` makes ready for the developer's tools.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
CLIENT = ROOT / "client"
OLDEST_PYTHON = (3, 11)
RUNTIME_LOCK = "requirements.txt"
TOOLS_LOCK = "requirements-dev.txt"


class Stop(Exception):
    """The command cannot go on. The text is one sentence for the user."""


def data_dir() -> Path:
    """The same folder as `config.env.data_dir`, which needs Django."""
    return Path(os.environ.get("GUILDHALL_DATA") or ROOT / ".data").resolve()


# What is shown


_tty = sys.stdout.isatty()


def say(text: str = "") -> None:
    print(text, flush=True)


class Step:
    """One line of progress. On a terminal it counts seconds in place; in a log it speaks every 15 seconds."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self._told = 0
        self._draw()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def tick(self) -> None:
        if _tty:
            self._draw()
        elif int(self.seconds) // 15 > self._told:
            self._told = int(self.seconds) // 15
            say(f"    still at it after {self.seconds:.0f} s")

    def _draw(self) -> None:
        if _tty:
            sys.stdout.write(f"\r  … {self.title}  {self.seconds:.0f} s ")
            sys.stdout.flush()
        else:
            say(f"  … {self.title}")

    def close(self, mark: str) -> None:
        start = "\r\x1b[2K" if _tty else ""
        say(f"{start}  {mark} {self.title}  {self.seconds:.1f} s")


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Show that `title` is being done, and at the end how long it took."""
    shown = Step(title)
    try:
        yield shown
    except BaseException:
        shown.close("✗")
        raise
    shown.close("✓")


@contextmanager
def one_sentence() -> Iterator[None]:
    """End the process as a command should: a sentence and exit code 1 for `Stop`, 130 when interrupted."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
        sys.stderr.reconfigure(errors="replace")
    try:
        yield
    except Stop as stop:
        sys.stdout.flush()
        print(f"\n{stop}", file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr, flush=True)
        sys.exit(130)


def stop_on_signals() -> None:
    """Let SIGTERM and SIGHUP end the process as Ctrl-C does; and Ctrl-C too where it was being ignored."""

    def interrupt(*_: object) -> None:
        ignore_signals()
        raise KeyboardInterrupt

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, interrupt)


def ignore_signals() -> None:
    """From here on the process is stopping already, and a second signal must not stop the stopping."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)


# Running other programs


def environment() -> dict[str, str]:
    """The environment for pip and npm: with a home, which they keep caches in, even where there is none."""
    env = dict(os.environ)
    if not env.get("HOME") or not os.access(env["HOME"], os.W_OK):
        home = data_dir() / "home"
        home.mkdir(parents=True, exist_ok=True)
        env["HOME"] = str(home)
    return env


def call(title: str, command: list[str], *, failed: str, cwd: Path = ROOT, own_session: bool = True) -> None:
    """Run `command` as one step. What it prints goes to a log; its end is shown when the command fails.

    `failed` is the sentence for that case. The command and all its children end when this process is interrupted;
    `own_session=False` leaves it the terminal, which sudo needs to ask for a password.
    """
    logs = data_dir() / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / (re.sub(r"\W+", "-", title.lower()).strip("-") + ".log")
    with step(title) as shown, open(log, "wb") as output:
        child = subprocess.Popen(
            command,
            cwd=str(cwd),
            env=environment(),
            stdin=None if not own_session else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=own_session,
        )
        try:
            while True:
                try:
                    code = child.wait(timeout=1)
                    break
                except subprocess.TimeoutExpired:
                    shown.tick()
        except BaseException:
            end(child, group=own_session)
            raise
        if code:
            raise Stop(f"{_last_lines(log)}\n\n{failed} The whole output is in {log}.")


def end(child: subprocess.Popen[bytes], *, group: bool, patience: float = 10) -> None:
    """Ask `child` (and, with `group`, its process group) to end; make it, after `patience` seconds."""
    for each in (signal.SIGTERM, signal.SIGKILL):
        try:
            if group:
                os.killpg(child.pid, each)
            else:
                child.send_signal(each)
            child.wait(timeout=patience)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _last_lines(log: Path, count: int = 15) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()[-count:]
    return "\n".join(f"    {line}" for line in lines)


# What must be there


def require_python() -> None:
    """Stop unless this Python is new enough and can make virtual environments."""
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        found = ".".join(map(str, sys.version_info[:3]))
        raise Stop(
            f"Guildhall needs Python {wanted} or later, and {sys.executable} is {found};"
            f" name a newer one with make PYTHON=/path/to/python{wanted}."
        )


def require_venv_module() -> None:
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Stop(
            "This Python cannot make virtual environments; on Debian and Ubuntu, apt-get install python3-venv."
        ) from None


def require_node() -> None:
    """Stop unless Node is as new as the client's build needs, and npm is there."""
    wanted = _numbers(json.loads((CLIENT / "package.json").read_text())["engines"]["node"])
    shown = ".".join(map(str, wanted))
    node = shutil.which("node")
    if node is None:
        raise Stop(f"Node.js is missing: install Node.js {shown} or later, with npm, from https://nodejs.org.")
    found = _numbers(_output([node, "--version"]))
    if found < wanted:
        raise Stop(
            f"Guildhall needs Node.js {shown} or later, and {node} is {'.'.join(map(str, found))};"
            " a newer one is at https://nodejs.org."
        )
    if shutil.which("npm") is None:
        raise Stop("npm is missing: it comes with Node.js from https://nodejs.org; on Debian, apt-get install npm.")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])


def _output(command: list[str]) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode(errors="replace")


# What is made


def python_packages(lock: str) -> None:
    """Have a virtual environment with exactly the packages that the file `lock` pins."""
    pinned = ROOT / lock
    stamp = VENV / f"{lock}.installed"
    version = "import sys, pip; print(*sys.version_info[:2])"
    found = _output([str(VENV_PYTHON), "-c", version]).split() if VENV_PYTHON.exists() else []
    wanted = f"{ROOT} {' '.join(found)} {_digest([pinned])}"
    if found and stamp.exists() and stamp.read_text() == wanted:
        return
    # Scripts in an environment name its folder, so one that was moved or copied here cannot be used.
    made_elsewhere = stamp.exists() and stamp.read_text().split(" ")[0] != str(ROOT)
    if not found or made_elsewhere or tuple(map(int, found)) < OLDEST_PYTHON:
        require_venv_module()
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
        call("Making the virtual environment", command, failed="The virtual environment .venv could not be made.")
        found = _output([str(VENV_PYTHON), "-c", version]).split()
        wanted = f"{ROOT} {' '.join(found)} {_digest([pinned])}"
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "-r", str(pinned)]
    count = sum("==" in line for line in pinned.read_text().splitlines())
    call(f"Installing {count} Python packages", command, failed="The Python packages could not be installed.")
    stamp.write_text(wanted)
    if lock != RUNTIME_LOCK:
        # The lock of the tools has all that the runtime's has, at the same versions.
        runtime = f"{ROOT} {' '.join(found)} {_digest([ROOT / RUNTIME_LOCK])}"
        (VENV / f"{RUNTIME_LOCK}.installed").write_text(runtime)


def npm_packages() -> None:
    """Have in `client/node_modules` exactly what `client/package-lock.json` pins."""
    stamp = CLIENT / "node_modules" / ".installed"
    wanted = f"{_output(['node', '--version']).strip()} {_digest([CLIENT / 'package-lock.json'])}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    command = ["npm", "ci", "--include=dev", "--no-audit", "--no-fund"]
    call("Installing npm packages", command, cwd=CLIENT, failed="The npm packages could not be installed.")
    stamp.write_text(wanted)


def client() -> None:
    """Have `client/dist` built from the sources as they are now."""
    stamp = CLIENT / "node_modules" / ".built"
    wanted = _digest(client_sources())
    if stamp.exists() and stamp.read_text() == wanted and (CLIENT / "dist" / "index.html").exists():
        return
    if stamp.exists():
        stamp.unlink()
    command = ["npm", "run", "build"]
    call("Building the client", command, cwd=CLIENT, failed="The client could not be built.")
    stamp.write_text(wanted)


def client_sources() -> list[Path]:
    """Every file the built client may depend on."""
    made = {"node_modules", "dist", "coverage"}
    found = []
    for folder, folders, files in os.walk(CLIENT):
        folders[:] = sorted(name for name in folders if name not in made)
        found += [Path(folder, name) for name in sorted(files)]
    return found


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(ROOT)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def main() -> None:
    with one_sentence():
        require_python()
        stop_on_signals()
        require_node()
        python_packages(TOOLS_LOCK)
        npm_packages()


if __name__ == "__main__":
    main()
