"""The gateway: websockets of users, who are sent the events that they may hear of. It knows no rule of the domain.

One process has one event loop; what waits for the database or Redis runs in threads. Everything about sockets happens
on the loop, so a socket that begins at some event misses none and gets none twice: finding what it missed and joining
those who get what comes next are one step. `docs/realtime.md` has the protocol.
"""

import asyncio
import contextlib
import logging
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from django.conf import settings
from django.db import InterfaceError, OperationalError
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamBufferFullError, StreamClosedError
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from api.accounts.selectors import LiveToken
from api.core.metrics import may_read
from api.realtime import ephemeral, presence
from api.realtime.catalog import KINDS
from api.realtime.reader import Admission, Reader, admit, audiences_of, concerned, standing, text_frame
from api.realtime.recent import Item, Recent
from api.realtime.wakeup import MAX_TEXT, wakeup

HELLO_WITHIN = 5.0
"""Seconds in which a socket must say who it is."""
FRAME_BYTES = 16 * 1024
"""The largest frame that a client may send."""
BUFFER_BYTES = 256 * 1024
"""What waits to be sent on one socket, at most; who reads more slowly than that is cut off."""
FRAMES_A_SECOND, FRAMES_AT_ONCE = 10, 40
RECENT = 20_000
"""Events in memory, from which sockets that come back get what they missed."""
MISSED = 1000
"""More than that is not sent: the client fetches what it shows instead."""
LOOK_EVERY = 0.5
"""Seconds between two looks into the outbox when nobody wakes the gateway up."""
TOGETHER = 0.01
"""Seconds for which one look waits, so that it finds what many have just written."""
CHECK_EVERY = 1.5
"""Seconds between two checks of all tokens. One that is gone twice in a row ends its sockets: a client that has just
refreshed it has that long to send the new one."""
MEMBERS_EVERY = 5.0
PING_EVERY = 45.0
SILENT = 120.0
"""Seconds after which a socket from which nothing came, not even an answer to a ping, is dead."""
SLICE = 250
"""Sockets that are sent to before the loop turns to others."""
DRAIN_WITHIN = 8.0

BAD_FRAME, NO_TOKEN, ORIGIN, TOO_SLOW, TOO_MANY = 4400, 4401, 4403, 4408, 4409
GOING_AWAY, TRY_LATER = 1001, 1013

_NO_HEADERS = HTTPHeaders()
_RELOAD = text_frame({"type": "reload"})
_log = logging.getLogger("guildhall.gateway")
Answer = TypeVar("Answer")


class Metrics:
    def __init__(self) -> None:
        self.registry = known = CollectorRegistry()
        name = "guildhall_gateway"
        self.sockets = Gauge(f"{name}_sockets", "Open sockets that have said who they are", registry=known)
        self.users = Gauge(f"{name}_users", "Users with a socket", registry=known)
        self.opened = Counter(f"{name}_opened", "Sockets that were opened", registry=known)
        self.closed = Counter(f"{name}_closed", "Sockets that the gateway closed", ["code"], registry=known)
        self.events = Counter(f"{name}_events", "Events read from the outbox", registry=known)
        self.sent = Counter(f"{name}_sent", "Events sent to sockets", registry=known)
        self.slow = Counter(f"{name}_slow", "Sockets cut off because they read too slowly", registry=known)
        self.resumed = Counter(f"{name}_resumed", "Sockets that went on after an event", ["how"], registry=known)
        self.lag = Gauge(f"{name}_outbox_lag_seconds", "Age of the newest event when it was read", registry=known)
        self.looked = Gauge(f"{name}_looked_seconds", "Seconds since the outbox was last read", registry=known)


class Gateway:
    """All sockets of one process, and the tasks that keep them supplied."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.metrics = Metrics()
        self.recent = Recent(RECENT)
        self.open: set[Socket] = set()
        """Every socket, also those that have not said hello."""
        self.by_user: dict[UUID, set[Socket]] = {}
        self.by_audience: dict[UUID, set[Socket]] = {}
        self.draining = False
        self._reader = Reader(RECENT)
        self._reading = ThreadPoolExecutor(1, "outbox")
        self._asking = ThreadPoolExecutor(2, "asking")
        self._telling = ThreadPoolExecutor(1, "telling")
        self._woken = asyncio.Event()
        self._greeted = asyncio.Event()
        self._hellos: list[tuple[Socket, str]] = []
        self._changed: set[UUID] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._looked_at = 0.0
        self.metrics.looked.set_function(lambda: time.monotonic() - self._looked_at)
        self._origins = _origins()

    # Starting and stopping

    async def start(self) -> None:
        """Begin to read the outbox. Returns when it has been read once, or the database could not be asked."""
        with contextlib.suppress(Exception):
            await self._look()
        for work in (self._follow, self._admit, self._check, self._members, self._tick, self._presence):
            self._tasks.append(asyncio.create_task(_for_ever(work), name=work.__name__))
        self._tasks.append(asyncio.create_task(_for_ever(self._listen), name="listen"))

    async def stop(self) -> None:
        """Close every socket, so that clients go to other gateways, and end."""
        self.draining = True
        for number, socket in enumerate(list(self.open)):
            socket.leave(GOING_AWAY, "This gateway stops. Connect again.")
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        deadline = time.monotonic() + DRAIN_WITHIN
        while self.open and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        for task in self._tasks:
            task.cancel()
        await self._in(self._telling, presence.leave, self.name)

    def failing(self) -> list[str]:
        """What keeps this gateway from serving; empty: nothing."""
        found = []
        if self.draining:
            found.append("draining")
        if time.monotonic() - self._looked_at > 10 * LOOK_EVERY:
            found.append("database")
        return found

    def allows(self, origin: str | None) -> bool:
        return origin is None or origin.rstrip("/").lower() in self._origins

    # Events

    async def _listen(self) -> None:
        await wakeup().listen(self._heard, self._woken.set)

    def _heard(self, text: str) -> None:
        if not text:
            self._woken.set()
            return
        with contextlib.suppress(ValueError, KeyError, TypeError):
            message = orjson.loads(text)
            frame = text_frame(message["frame"])
            for user_id in message["users"]:
                for socket in self.by_user.get(UUID(user_id), ()):
                    socket.send(frame)

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_EVERY)
            await asyncio.sleep(TOGETHER)
            self._woken.clear()
            while await self._look():
                pass

    async def _look(self) -> bool:
        """Read what is new and send it. Whether there is more."""
        read = await self._in(self._reading, self._reader.look)
        self._looked_at = time.monotonic()
        if read.anew:
            self.recent.start(read.floor, read.newest)
            for item in read.items:
                self.recent.add(item)
            for socket in [each for sockets in self.by_user.values() for each in sockets]:
                socket.send(_RELOAD)
            return read.more
        sent = 0
        for item in read.items:
            if item.id in self.recent:
                continue
            self.recent.add(item)
            self.metrics.events.inc()
            for socket in self._hearing(item):
                socket.send(item.frame)
                sent += 1
                if sent % SLICE == 0:
                    await asyncio.sleep(0)
        self.metrics.sent.inc(sent)
        if read.items:
            self.metrics.lag.set(read.lag)
        return read.more

    def _hearing(self, item: Item) -> Iterable["Socket"]:
        """The sockets of those whom an event may be told, each once."""
        scopes = KINDS[item.type].scopes
        found: set[Socket] = set()
        for each in item.audience:
            found.update(self.by_audience.get(each, ()))
        return [socket for socket in found if not scopes.isdisjoint(socket.scopes)]

    # Who is there

    def greet(self, socket: "Socket") -> None:
        """`socket` has said hello, or has a new token: have it looked at."""
        self._hellos.append((socket, socket.claimed))
        self._greeted.set()

    async def _admit(self) -> None:
        """Look at all who said hello meanwhile, at once: when many come back together, this takes a few queries."""
        while True:
            await self._greeted.wait()
            self._greeted.clear()
            while self._hellos:
                batch, self._hellos = self._hellos[:500], self._hellos[500:]
                known = {socket.after for socket, _ in batch if socket.after is not None}
                unknown = [each for each in known if each not in self.recent]
                try:
                    found = await self._in(self._asking, admit, {checksum for _, checksum in batch}, unknown)
                except Exception:  # noqa: BLE001  (the client tries again, and is told so)
                    _log.exception("hello failed")
                    for socket, _ in batch:
                        socket.leave(TRY_LATER, "Nobody can be let in at the moment. Try again.")
                    continue
                for socket, checksum in batch:
                    if not socket.leaving:
                        self._let_in(socket, checksum, found)

    def _let_in(self, socket: "Socket", checksum: str, found: Admission) -> None:
        token = found.tokens.get(checksum)
        if token is None or (socket.user_id is not None and socket.user_id != token.user_id):
            socket.leave(NO_TOKEN, "This token is not known, has expired or was revoked.")
            return
        socket.hold(checksum, token)
        if socket.user_id is not None:
            return
        if len(self.by_user.get(token.user_id, ())) >= settings.SOCKETS_PER_USER:
            socket.leave(TOO_MANY, f"A user may have {settings.SOCKETS_PER_USER} sockets.")
            return
        socket.user_id = token.user_id
        self.by_user.setdefault(token.user_id, set()).add(socket)
        self._changed.add(token.user_id)
        self._place(socket, found.audiences[token.user_id])
        self.metrics.sockets.inc()
        self._resume(socket, found)

    def _resume(self, socket: "Socket", found: Admission) -> None:
        after = socket.after
        missed: list[Item] | None = []
        if after is not None:
            oldest = self.recent.oldest_of(after)
            if oldest is None:
                oldest = found.oldest.get(after, -1)
            missed = self.recent.since(after, oldest, socket.audience)
            if missed is not None and len(missed) > MISSED:
                missed = None
            self.metrics.resumed.labels("reload" if missed is None else "events").inc()
            if missed is None:
                socket.send(_RELOAD)
                after = None
        # After a reload, and for who comes anew: from here on.
        ready = {
            "type": "ready",
            "after": self.recent.newest if after is None else after,
            "server_time": datetime.now(UTC),
            "session": socket.session,
        }
        socket.send(text_frame(ready))
        for item in missed or ():
            if not KINDS[item.type].scopes.isdisjoint(socket.scopes):
                socket.send(item.frame)

    def _place(self, socket: "Socket", audience: frozenset[UUID]) -> None:
        """Have the socket hear what is for these."""
        for each in socket.audience - audience:
            self._forget(each, socket)
        for each in audience - socket.audience:
            self.by_audience.setdefault(each, set()).add(socket)
        socket.audience = audience

    def _forget(self, audience: UUID, socket: "Socket") -> None:
        sockets = self.by_audience[audience]
        sockets.discard(socket)
        if not sockets:
            del self.by_audience[audience]

    def part(self, socket: "Socket") -> None:
        """Send nothing more to this socket."""
        if socket.user_id is None or socket not in self.by_user.get(socket.user_id, ()):
            return
        self._place(socket, frozenset())
        sockets = self.by_user[socket.user_id]
        sockets.discard(socket)
        if not sockets:
            del self.by_user[socket.user_id]
        self._changed.add(socket.user_id)
        self.metrics.sockets.dec()

    async def _check(self) -> None:
        """End the sockets whose tokens no longer hold."""
        while True:
            await asyncio.sleep(CHECK_EVERY)
            by_checksum: dict[str, list[Socket]] = {}
            for sockets in list(self.by_user.values()):
                for socket in sockets:
                    by_checksum.setdefault(socket.checksum, []).append(socket)
            checksums = list(by_checksum)
            for start in range(0, len(checksums), 1000):
                part = checksums[start : start + 1000]
                found = await self._in(self._asking, standing, part)
                for checksum in part:
                    for socket in by_checksum[checksum]:
                        self._judge(socket, checksum, found.get(checksum))

    def _judge(self, socket: "Socket", checksum: str, token: LiveToken | None) -> None:
        if socket.leaving or socket.checksum != checksum:
            return
        if token is not None:
            socket.hold(checksum, token)
        elif socket.doubted:
            socket.leave(NO_TOKEN, "This token has expired or was revoked.")
        else:
            socket.doubted = True

    async def _members(self) -> None:
        """Notice who has joined or left a collective."""
        while True:
            await asyncio.sleep(MEMBERS_EVERY)
            users = list(self.by_user)
            for start in range(0, len(users), 1000):
                found = await self._in(self._asking, audiences_of, users[start : start + 1000])
                for user_id, audience in found.items():
                    for socket in self.by_user.get(user_id, ()):
                        self._place(socket, audience)

    async def _tick(self) -> None:
        """Each second: tokens that have expired, sockets that are dead, and pings to a share of the others."""
        waiting: list[Socket] = []
        while True:
            await asyncio.sleep(1)
            now, clock = time.time(), time.monotonic()
            self.metrics.users.set(len(self.by_user))
            for socket in [each for sockets in self.by_user.values() for each in sockets]:
                if socket.expires <= now:
                    socket.leave(NO_TOKEN, "This token has expired.")
                elif clock - socket.heard_at > SILENT:
                    socket.leave(GOING_AWAY, "Nothing was heard for too long.")
            waiting = waiting or list(self.open)
            share = math.ceil(len(self.open) / PING_EVERY)
            for socket in waiting[:share]:
                socket.ping_it()
            waiting = waiting[share:]

    async def _presence(self) -> None:
        beaten_at = -math.inf
        while True:
            await asyncio.sleep(0.5)
            changed, self._changed = self._changed, set()
            if not settings.REDIS_URL:
                continue
            counts = {user_id: len(self.by_user.get(user_id, ())) for user_id in changed}
            if not await self._in(self._telling, presence.tell, self.name, counts):
                # All of it is told again when Redis is there again.
                beaten_at = -math.inf
                continue
            if time.monotonic() - beaten_at >= presence.BEAT:
                everybody = {user_id: len(sockets) for user_id, sockets in self.by_user.items()}
                if await self._in(self._telling, presence.beat, self.name, everybody):
                    beaten_at = time.monotonic()

    # Frames of clients

    def pass_on(self, socket: "Socket", frame: dict[str, Any]) -> None:
        """Send what is worth nothing later to those whom it concerns, on whatever gateway; or tell who is there."""
        if socket.user_id is not None:
            asyncio.create_task(self._pass_on(socket, socket.user_id, frame)).add_done_callback(_report)

    async def _pass_on(self, socket: "Socket", user_id: UUID, frame: dict[str, Any]) -> None:
        type_ = frame.pop("type")
        concern = await self._in(self._asking, concerned, type_, user_id, frame)
        if concern is None:
            return
        body = {"type": type_, **concern.payload}
        if type_ == "presence":
            here = any(each in self.by_user for each in concern.users)
            there = here or bool(await self._in(self._telling, presence.online, concern.users))
            socket.send(text_frame({**body, "online": there}))
            return
        others = [str(each) for each in concern.users if each != user_id]
        text = orjson.dumps({"users": others, "frame": body}).decode()
        if others and len(text.encode()) <= MAX_TEXT:
            await self._in(self._telling, wakeup().send, text)

    async def _in(self, executor: ThreadPoolExecutor, work: Callable[..., Answer], *arguments: Any) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(executor, work, *arguments)


class Socket(WebSocketHandler):
    """One connection of one user."""

    # There are very many: what is in slots does not make the dictionary of each grow beyond what all can share.
    __slots__ = (
        "_allowance",
        "_allowed_at",
        "_greeting",
        "_opened_at",
        "_stream",
        "after",
        "audience",
        "checksum",
        "claimed",
        "doubted",
        "expires",
        "gateway",
        "heard_at",
        "leaving",
        "scopes",
        "session",
        "user_id",
    )

    def initialize(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.session = secrets.token_hex(6)
        self.user_id: UUID | None = None
        self.audience: frozenset[UUID] = frozenset()
        self.scopes: frozenset[str] = frozenset()
        self.claimed = self.checksum = ""
        self.expires = 0.0
        self.doubted = self.leaving = False
        self.after: int | None = None
        self.heard_at = self._opened_at = time.monotonic()
        self._allowance, self._allowed_at = float(FRAMES_AT_ONCE), self.heard_at
        self._greeting: asyncio.TimerHandle | None = None
        self._stream: Any = None

    async def prepare(self) -> None:
        if self.gateway.draining or len(self.gateway.open) >= settings.SOCKETS_MAX:
            self.set_status(503)
            self.set_header("Retry-After", "2")
            await self.finish()

    def check_origin(self, origin: str) -> bool:
        """Judged in `open`: a script cannot see the status of a refused handshake, but it can see a close code."""
        return True

    def get_compression_options(self) -> None:
        return None

    def open(self) -> None:
        self._stream = self.ws_connection.stream  # type: ignore[union-attr]
        self.set_nodelay(True)
        self.gateway.open.add(self)
        self.gateway.metrics.opened.inc()
        origin = self.request.headers.get("Origin")
        # What a handshake needed is a seventh of what an idle socket holds.
        self.request.headers = self._headers = _NO_HEADERS
        if not self.gateway.allows(origin):
            self.leave(ORIGIN, "Pages of this origin may not connect.")
            return
        loop = asyncio.get_running_loop()
        self._greeting = loop.call_later(HELLO_WITHIN, self.leave, NO_TOKEN, "No token came.")

    def on_message(self, message: str | bytes) -> None:
        self.heard_at = now = time.monotonic()
        self._allowance = min(FRAMES_AT_ONCE, self._allowance + (now - self._allowed_at) * FRAMES_A_SECOND) - 1
        self._allowed_at = now
        if self.leaving:
            return
        if self._allowance < 0:
            self.leave(BAD_FRAME, "Too many frames.")
            return
        try:
            frame = orjson.loads(message) if isinstance(message, str) else None
        except ValueError:
            frame = None
        if not isinstance(frame, dict):
            self.leave(BAD_FRAME, "A frame is one JSON object.")
        elif not self.claimed:
            self._hello(frame)
        elif self.user_id is not None:
            self._frame(frame)

    def _hello(self, frame: dict[str, Any]) -> None:
        after = frame.get("after")
        known = frame.keys() <= {"type", "token", "after"} and frame.get("type", "hello") == "hello"
        counted = after is None or (isinstance(after, int) and not isinstance(after, bool) and 0 <= after < 2**63)
        if not known or not counted:
            self.leave(BAD_FRAME, 'The first frame is {"token": "…", "after": an event\'s id or null}.')
            return
        self.after = after
        self._claim(frame.get("token"))

    def _frame(self, frame: dict[str, Any]) -> None:
        type_ = frame.get("type")
        if type_ == "ping":
            self.send(text_frame({"type": "pong", "after": self.gateway.recent.newest}))
        elif type_ == "token":
            self._claim(frame.get("token"))
        elif isinstance(type_, str) and type_ in ephemeral.types():
            self.gateway.pass_on(self, frame)
        else:
            self.leave(BAD_FRAME, "There is no frame of that type.")

    def _claim(self, token: object) -> None:
        if not isinstance(token, str) or not token:
            self.leave(NO_TOKEN, "No token came.")
            return
        if self._greeting is not None:
            self._greeting.cancel()
            self._greeting = None
        self.claimed = sha256(token.encode()).hexdigest()
        self.gateway.greet(self)

    def hold(self, checksum: str, token: LiveToken) -> None:
        """Go on with this token."""
        self.checksum = checksum
        self.scopes = token.scopes
        self.expires = token.expires.timestamp()
        self.doubted = False

    def send(self, frame: bytes) -> None:
        """Send a whole frame, made once for all who get it; or cut this socket off when too much waits already."""
        if self.leaving:
            return
        # What the protocol sends by itself is little, and must not fail.
        self._stream.max_write_buffer_size = BUFFER_BYTES
        try:
            self._stream.write(frame)
        except StreamBufferFullError:
            self._stream.max_write_buffer_size = None
            self.gateway.metrics.slow.inc()
            self._stream.write(_RELOAD)
            self.leave(TOO_SLOW, "Too slow. Connect again, and fetch what is shown.")
        except StreamClosedError:
            pass
        finally:
            self._stream.max_write_buffer_size = None

    def ping_it(self) -> None:
        with contextlib.suppress(WebSocketClosedError):
            self.ping(b"")

    def on_ping(self, data: bytes) -> None:
        self.heard_at = time.monotonic()

    def on_pong(self, data: bytes) -> None:
        self.heard_at = time.monotonic()

    def leave(self, code: int, reason: str) -> None:
        """Send nothing more, and close."""
        if self.leaving:
            return
        self.leaving = True
        self.gateway.part(self)
        self.gateway.metrics.closed.labels(str(code)).inc()
        self.close(code, reason)
        _log.info("socket ended", extra={**self._who(), "code": code})

    def on_close(self) -> None:
        if not self.leaving:
            self.leaving = True
            self.gateway.part(self)
            _log.info("socket closed", extra={**self._who(), "code": self.close_code})
        if self._greeting is not None:
            self._greeting.cancel()
        self.gateway.open.discard(self)

    def _who(self) -> dict[str, Any]:
        seconds = round(time.monotonic() - self._opened_at, 1)
        return {"session_id": self.session, "user_id": str(self.user_id or ""), "seconds": seconds}


class Healthz(RequestHandler):
    """The process answers."""

    def get(self) -> None:
        self.finish("ok\n")


class Readyz(RequestHandler):
    """Whether this gateway can serve; 503 names what fails."""

    def initialize(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def get(self) -> None:
        failing = self.gateway.failing()
        self.set_status(503 if failing else 200)
        self.finish({"ready": not failing, "failing": failing})


class MetricsPage(RequestHandler):
    """What Prometheus reads; told to whom a web node tells its own."""

    def initialize(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def get(self) -> None:
        given = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.request.headers.get_all()}
        if not may_read({**given, "REMOTE_ADDR": self.request.remote_ip}):
            self.send_error(404)
            return
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(generate_latest(self.gateway.metrics.registry))


def application(gateway: Gateway) -> Application:
    known = {"gateway": gateway}
    return Application(
        [
            ("/ws", Socket, known),
            ("/healthz", Healthz),
            ("/readyz", Readyz, known),
            ("/metrics", MetricsPage, known),
        ],
        websocket_max_message_size=FRAME_BYTES,
        log_function=lambda handler: None,
    )


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` anew whenever it failed: a task that ended would be missed only by those who wait for what it does."""
    logged_at = -math.inf
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  (logged now and then, and tried again)
            if time.monotonic() - logged_at > 30:
                logged_at = time.monotonic()
                known = isinstance(error, OperationalError | InterfaceError)
                reason = str(error).partition("\n")[0]
                _log.error("gateway task failed", extra={"task": work.__name__, "reason": reason}, exc_info=not known)
            await asyncio.sleep(LOOK_EVERY)


def _report(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("frame not passed on", exc_info=error)


def _origins() -> frozenset[str]:
    """The origins whose pages may connect, as browsers write them."""
    found = {settings.PUBLIC_URL, *settings.CORS_ALLOWED_ORIGINS}
    if settings.LOCAL:
        found |= {each.replace("//127.0.0.1", "//localhost") for each in found}
    parts = [urlsplit(each) for each in found]
    return frozenset(f"{each.scheme}://{each.netloc}".lower() for each in parts)
