"""gunicorn's threaded worker, which says when it is full and ends without failing a request.

**Full.** A process works on `threads` requests at once and lets as many again wait for it. One more is answered 503
with `Retry-After` before anything is done, by threads kept for that, so that nginx can ask another node at once.
`/healthz`, `/readyz` and `/metrics` are answered all the same.

**Ending.** On SIGTERM `/readyz` fails. For `DRAIN_SECONDS` (none, unless a balancer needs the time to see that)
requests are served as before; then the process takes in what the kernel has already accepted, closes its door, so that
the next connection is refused and goes elsewhere, and finishes. A request that comes later over a connection kept open
is answered 503, unless it is one that no proxy would send elsewhere after that.
"""

import json
import logging
import threading
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from api.core import stopping
from config import env

OPEN = frozenset({"/healthz", "/readyz", "/metrics"})
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 0)
_HEARD_SECONDS = 2.0
_SAID = {
    "full": ("Full", "This node is busy. Nothing was done; try again in a moment."),
    "draining": ("Draining", "This node is being stopped. Nothing was done; try again in a moment."),
}
_log = logging.getLogger("guildhall.request")


class Worker(ThreadWorker):  # type: ignore[misc]
    def init_process(self) -> None:
        self.spare = ThreadPoolExecutor(max_workers=2, thread_name_prefix="spare")
        self.most = 2 * self.cfg.threads
        self.taken = 0
        self.draining = False
        super().init_process()

    # Full

    def enqueue_req(self, conn: TConn) -> None:
        conn.refusal = self._refusal(conn)
        if conn.refusal is None:
            self.taken += 1
        pool = self.tpool if conn.refusal is None else self.spare
        future = pool.submit(self.handle, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def finish_request(self, conn: TConn, fs: "Future[Any]") -> None:
        if conn.refusal is None:
            self.taken -= 1
        super().finish_request(conn, fs)

    def _refusal(self, conn: TConn) -> str | None:
        """Why the request that comes over `conn` is not worked on; None when it is."""
        if not self.alive and conn.initialized:
            return "draining"
        return "full" if self.taken >= self.most else None

    def handle_request(self, req: Any, conn: TConn) -> bool:
        if conn.refusal is not None and req.path not in OPEN and not self._is_last_chance(req, conn):
            self._refuse(req, conn)
            return False
        if self.draining:
            req.force_close()
        return bool(super().handle_request(req, conn))

    def _is_last_chance(self, req: Any, conn: TConn) -> bool:
        """Whether nobody would ask another node in its stead: a proxy passes over a 503 only where that is safe."""
        names = {name for name, _ in req.headers}
        safe = req.method in ("GET", "HEAD", "OPTIONS") or {"IDEMPOTENCY-KEY", "AUTHORIZATION"} <= names
        return conn.refusal == "draining" and not safe

    def _refuse(self, req: Any, conn: TConn) -> None:
        title, detail = _SAID[conn.refusal]
        given = next((value for name, value in req.headers if name == "X-REQUEST-ID"), "")
        identifier = given if given.replace("-", "").isalnum() and len(given) <= 64 else uuid.uuid4().hex
        body = json.dumps(
            {
                "type": f"urn:guildhall:problem:{conn.refusal}",
                "title": title,
                "status": 503,
                "detail": detail,
                "code": conn.refusal,
                "request_id": identifier,
            }
        )
        head = [
            "HTTP/1.1 503 Service Unavailable",
            "Content-Type: application/problem+json",
            f"Content-Length: {len(body)}",
            "Retry-After: 1",
            f"X-Request-ID: {identifier}",
            "Connection: close",
        ]
        conn.sock.sendall("\r\n".join([*head, "", "" if req.method == "HEAD" else body]).encode())
        # What is still being sent is heard out, or the client would be told of a broken connection instead.
        conn.parser.finish_body(deadline=time.monotonic() + _HEARD_SECONDS)
        from api.core import metrics  # only here: Django is set up by now

        metrics.REFUSED.labels(conn.refusal).inc()
        # Links in e-mails carry their key in the path.
        path = "/accounts/…" if req.path.startswith("/accounts/") else req.path
        told = {"method": req.method, "path": path, "status": 503, "request_id": identifier}
        _log.info("refused: %s", conn.refusal, extra=told)

    # Ending

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self.draining:
            return
        self.draining = stopping.now = True
        if not DRAIN_SECONDS:
            super().handle_exit(sig, frame)
            return
        timer = threading.Timer(DRAIN_SECONDS, self.method_queue.defer, [self._close_the_door])
        timer.daemon = True
        timer.start()

    def _close_the_door(self) -> None:
        self.alive = False

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            self._take_in_what_waits()

    def _take_in_what_waits(self) -> None:
        """Accept what the kernel has accepted for us, and close at once, not when the last request is finished.

        As long as the socket is open the kernel goes on accepting connections, which nobody would ever answer.
        """
        for listener in self.sockets:
            listener.setblocking(False)
            before = -1
            while before != self.nr_conns:
                before = self.nr_conns
                self.accept(listener)
            listener.close()
