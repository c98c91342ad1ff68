"""Telling gateways that there is something new: by Redis where it is configured, by PostgreSQL's `NOTIFY` elsewhere.

A wake-up is a hint and may be lost; the outbox is the truth, and whoever listens looks there by the clock too. It says
nothing ("look"), or carries one short-lived frame, such as somebody typing, which is worth nothing later.

Nobody sends one from inside a transaction: at commit `NOTIFY` takes a lock that all of a server's transactions share.
A thread of each process sends for all its requests, so that what they pay is setting a flag.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any, Protocol

import psycopg2
import redis
import redis.asyncio
from django.conf import settings
from django.db import connection, transaction
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from api.core.redis import ask

CHANNEL = "guildhall"
LOOK = ""
"""The text of a wake-up that says only that there is something in the outbox."""
MAX_TEXT = 7900
"""Bytes that PostgreSQL takes in one notification, about."""
_PAUSE = 0.01
_RECONNECT = 0.3


class Wakeup(Protocol):
    """One way to wake others up."""

    def send(self, text: str) -> bool:
        """Send to all who listen, from any thread but the event loop's. Whether that was done; raises nothing."""

    async def listen(self, heard: Callable[[str], None], subscribed: Callable[[], None]) -> None:
        """Call `heard` with each text until cancelled, and `subscribed` whenever listening has begun anew.

        What was sent while nobody was subscribed is lost, so `subscribed` is the moment to look by oneself.
        """


class RedisWakeup:
    def send(self, text: str) -> bool:
        return ask(lambda client: client.publish(CHANNEL, text) is not None, otherwise=False)

    async def listen(self, heard: Callable[[str], None], subscribed: Callable[[], None]) -> None:
        # For ever, with short pauses: what a request may not wait for, a listener has to.
        retry = Retry(ExponentialBackoff(cap=1, base=0.05), -1)
        while True:
            client = redis.asyncio.Redis.from_url(settings.REDIS_URL, retry=retry, health_check_interval=15)
            try:
                async with client, client.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    async for message in channel.listen():
                        if message["type"] == "subscribe":
                            subscribed()
                        elif message["type"] == "message":
                            heard(message["data"].decode())
            except (redis.RedisError, OSError):
                await asyncio.sleep(_RECONNECT)


class PostgresWakeup:
    def send(self, text: str) -> bool:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, text])
            return True
        except Exception:  # noqa: BLE001  (a hint may be lost, and whatever went wrong the next one has a new connection)
            connection.close()
            return False

    async def listen(self, heard: Callable[[str], None], subscribed: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            session = None
            try:
                session = await loop.run_in_executor(None, self._connect)
                await self._follow(session, loop, heard, subscribed)
            except (psycopg2.Error, OSError):
                pass
            finally:
                if session is not None:
                    session.close()
            await asyncio.sleep(_RECONNECT)

    def _connect(self) -> Any:
        session = psycopg2.connect(
            settings.LISTEN_URL or _dsn(), application_name="guildhall-listen", connect_timeout=3, keepalives_idle=5
        )
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        return session

    async def _follow(
        self,
        session: Any,
        loop: asyncio.AbstractEventLoop,
        heard: Callable[[str], None],
        subscribed: Callable[[], None],
    ) -> None:
        lost: asyncio.Future[None] = loop.create_future()

        def ready() -> None:
            try:
                session.poll()
                while session.notifies:
                    heard(session.notifies.pop(0).payload)
            except Exception as error:  # noqa: BLE001  (told to who waits for it)
                loop.remove_reader(number)
                if not lost.done():
                    lost.set_exception(error)

        number = session.fileno()
        loop.add_reader(number, ready)
        try:
            subscribed()
            # What came in while the reader was being set.
            ready()
            await lost
        finally:
            loop.remove_reader(number)


def _dsn() -> str:
    parameters = connection.get_connection_params()
    known = ("dbname", "host", "port", "user", "password", "target_session_attrs", "sslmode", "sslrootcert", "passfile")
    return psycopg2.extensions.make_dsn(**{name: parameters[name] for name in known if name in parameters})


def wakeup() -> Wakeup:
    return RedisWakeup() if settings.REDIS_URL else PostgresWakeup()


class Bell:
    """Sends `LOOK` for a whole process: rung as often as one likes, it sends once in `_PAUSE` seconds at most."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def ring(self) -> None:
        self._rung.set()
        if not self._rings():
            self._start()

    def close(self) -> None:
        """Send what was rung for, and end the thread and its connection. Ringing starts it again."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None and self._process == os.getpid():
            self._closed.set()
            self._rung.set()
            thread.join(timeout=5)

    def _rings(self) -> bool:
        """Whether a thread of this process sends: none was left behind by a fork, and none has died."""
        thread = self._thread
        return thread is not None and self._process == os.getpid() and thread.is_alive()

    def _start(self) -> None:
        with self._lock:
            if self._rings():
                return
            self._process = os.getpid()
            self._closed = threading.Event()
            self._thread = threading.Thread(target=self._send, args=(self._closed,), name="wakeup", daemon=True)
            self._thread.start()

    def _send(self, closed: threading.Event) -> None:
        try:
            while not closed.is_set():
                self._rung.wait()
                self._rung.clear()
                wakeup().send(LOOK)
                closed.wait(_PAUSE)
        finally:
            connection.close()


bell = Bell()
_ring = bell.ring


def after_commit() -> None:
    """Wake gateways up when the present transaction has been committed; at once outside of one."""
    waiting = connection.run_on_commit
    # Once is enough for all that a transaction publishes.
    if not (waiting and waiting[-1][1] is _ring):
        transaction.on_commit(_ring)
