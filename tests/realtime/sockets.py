"""A gateway as a process of its own, and clients of it that a test can ask one thing after the other."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.db import connection
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from bench.stack import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 15
Frame = dict[str, Any]


def own_database() -> str:
    """The address of the tests' own database."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


class GatewayProcess:
    """`python -m config.gateway` on the tests' database. `url` is its HTTP address, `ws` that of its sockets."""

    def __init__(self, **env: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws = f"ws://127.0.0.1:{self.port}/ws"
        self._env = {
            **os.environ,
            "GUILDHALL_MODE": "local",
            "DATABASE_URL": own_database(),
            "GATEWAY_PORT": str(self.port),
            "PUBLIC_URL": "http://guildhall.test",
            "LOG_LEVEL": "WARNING",
            **env,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "config.gateway"], cwd=ROOT, env=self._env)
        wait_for(lambda: self.status("/readyz") == 200, "the gateway is not ready", within=40)

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def metric(self, name: str) -> float:
        """The value of a metric, summed over its labels."""
        with urllib.request.urlopen(self.url + "/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.partition("{")[0].split(" ")[0] == name)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it as an operator would. Returns its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


def wait_for(condition: Callable[[], Any], otherwise: str, within: float = PATIENCE) -> Any:
    """What `condition` gives as soon as it is true."""
    deadline = time.monotonic() + within
    while True:
        if found := condition():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(otherwise)
        time.sleep(0.02)


class RedisServer:
    """A real Redis without any memory of what was."""

    def __init__(self, data: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [*command, "--dir", str(self._data), "--logfile", str(self._data / "log")], cwd=self._data
        )
        wait_for(self._answers, "Redis does not start")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                probe.sendall(b"PING\r\n")
                return probe.recv(7) == b"+PONG\r\n"
        except OSError:
            return False

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


class Loop:
    """An event loop in a thread of its own, for clients."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="clients", daemon=True)
        self._thread.start()

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE + 15)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


class Client:
    """One socket. `frames` is what came, in order; `code` is with what it was closed, or None."""

    def __init__(self, loop: Loop, address: str, *, origin: str | None = None) -> None:
        self._loop = loop
        self.frames: list[Frame] = []
        self.closed = False
        headers = {} if origin is None else {"Origin": origin}
        request = HTTPRequest(address, headers=headers, connect_timeout=5, request_timeout=10)
        self._socket: WebSocketClientConnection = loop.run(self._connect(request))

    async def _connect(self, request: HTTPRequest) -> WebSocketClientConnection:
        return await websocket_connect(request, on_message_callback=self._came)

    def _came(self, message: str | bytes | None) -> None:
        if message is None:
            self.closed = True
        else:
            self.frames.append(json.loads(message))

    def send(self, frame: Any) -> None:
        text = frame if isinstance(frame, str | bytes) else json.dumps(frame)

        async def write() -> None:
            await self._socket.write_message(text, binary=isinstance(text, bytes))

        self._loop.run(write())

    def hello(self, token: str, after: int | None = None) -> Frame:
        """Say who this is. Returns the gateway's `ready`."""
        self.send({"token": token, "after": after})
        return self.wait("ready")

    def wait(self, type_: str, **wanted: Any) -> Frame:
        """The first frame of this type, with these values; waits until it comes."""

        def found() -> Frame | None:
            for frame in list(self.frames):
                if frame["type"] == type_ and all(frame.get(key) == value for key, value in wanted.items()):
                    return frame
            return None

        frame: Frame = wait_for(found, f"no {type_} {wanted} among {self.frames[-20:]}, closed: {self.code}")
        return frame

    def wait_closed(self, within: float = PATIENCE) -> int | None:
        wait_for(lambda: self.closed, "the socket is still open", within)
        return self.code

    def settle(self) -> int:
        """Wait until all that was sent before this moment has come. Returns the newest event that the gateway knows."""
        before = len(self._pongs())
        self.send({"type": "ping"})
        wait_for(lambda: len(self._pongs()) > before, f"no pong; closed: {self.code}")
        return int(self._pongs()[-1]["after"])

    def _pongs(self) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] == "pong"]

    @property
    def code(self) -> int | None:
        return self._socket.close_code

    @property
    def events(self) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] == "event"]

    def close(self) -> None:
        self._loop.loop.call_soon_threadsafe(self._socket.close)


class Mute:
    """A client that says hello and then reads nothing, until it is asked for what has come."""

    def __init__(self, port: int, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self._socket.sendall(
            b"GET /ws HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._read_until(b"\r\n\r\n")
        hello = json.dumps({"token": token}).encode()
        # A mask of zeros leaves the text as it is.
        self._socket.sendall(bytes([0x81, 0x80 | len(hello)]) + bytes(4) + hello)
        self._read_until(b'"ready"')

    def _read_until(self, end: bytes) -> None:
        found = b""
        while end not in found:
            found += self._socket.recv(1)

    def rest(self) -> bytes:
        """All that was sent until the gateway closed the connection."""
        found = b""
        while part := self._socket.recv(65_536):
            found += part
        self._socket.close()
        return found
