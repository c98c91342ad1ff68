"""A load of real work through the front door, and a journal of every answer that it was given.

Workers claim, submit or return, and ask for payouts; a requester accepts what comes in; listeners follow on the socket.
Every call has an `Idempotency-Key` and is made again with it until it is answered, as the client does. What was
answered with success is written into the journal, and `Market.check` holds the database against it.
"""

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import uuid4

import requests
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketError, websocket_connect

REWARD = 100
PLACES = 2
PATIENCE = 60
"""Seconds after which a call that is never answered with more than "not now" fails the test."""
NOT_NOW = frozenset({429, 502, 503, 504})
INTERFACE = {
    "kind": "elements",
    "elements": [
        {"show": "text", "from": "question"},
        {"ask": "text", "key": "label", "label": "What is it?", "required": True},
    ],
}


@dataclass
class Journal:
    """What callers were told. Lists are appended to by many threads, which needs no lock."""

    claims: list[tuple[str, str, str]] = field(default_factory=list)
    """(assignment, task, worker)"""
    submits: list[tuple[str, str]] = field(default_factory=list)
    """(assignment, label)"""
    returns: list[str] = field(default_factory=list)
    accepts: list[str] = field(default_factory=list)
    payouts: list[tuple[str, int]] = field(default_factory=list)
    acks: list[float] = field(default_factory=list)
    """`time.monotonic()` of every answer to a write."""
    refusals: Counter[str] = field(default_factory=Counter)
    """How often "not now" was said, by status and code."""
    cut: list[str] = field(default_factory=list)
    """Answers that began and did not end: their node died between head and body."""
    unclean: list[str] = field(default_factory=list)
    """Errors that a client should not have seen."""

    def longest_gap(self, since: float) -> float:
        """Seconds of the longest time without an answer to a write, from the last one before `since` on."""
        times = sorted(self.acks)
        before = [at for at in times if at <= since]
        relevant = [before[-1] if before else since, *(at for at in times if at > since)]
        return max((b - a for a, b in pairwise(relevant)), default=0.0)


class Caller:
    """One user's calls. A write is repeated with its key until it is answered."""

    def __init__(self, url: str, token: str, journal: Journal) -> None:
        self.url, self.journal = url, journal
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.seen = ""
        """The highest position that an answer carried."""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        if method != "GET":
            headers.setdefault("Idempotency-Key", uuid4().hex)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self._once(method, path, body, headers)
                if answer.status_code not in NOT_NOW:
                    break
                self._not_now(answer)
            except requests.RequestException as error:
                told = f"{method} {path}: {type(error).__name__}: {error}"
                (self.journal.cut if "IncompleteRead" in told else self.journal.unclean).append(told)
            assert time.monotonic() < deadline, f"{method} {path} was not answered within {PATIENCE} s"
            time.sleep(random.uniform(0.05, 0.25))
        self.seen = max(self.seen, answer.headers.get("X-Read-After", ""))
        if answer.status_code >= 500:
            self.journal.unclean.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        elif method != "GET" and answer.ok:
            self.journal.acks.append(time.monotonic())
        return answer

    def must(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = self.call(method, path, body, **headers)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def _once(self, method: str, path: str, body: Any, headers: dict[str, str]) -> requests.Response:
        sent = {"X-Read-After": self.seen} if self.seen else {}
        data = body if isinstance(body, bytes | type(None)) else json.dumps(body)
        sent = {"Content-Type": "application/json", **sent, **headers}
        return self.session.request(
            method, f"{self.url}/api/v1{path}", data=data, headers=sent, timeout=(5, 30), allow_redirects=False
        )

    def _not_now(self, answer: requests.Response) -> None:
        """A clean "not now" is a problem document that says when to come back."""
        try:
            code = answer.json()["code"]
        except (ValueError, KeyError, TypeError):
            code = ""
        self.journal.refusals[f"{answer.status_code} {code}"] += 1
        if not code or (answer.status_code == 503 and not answer.headers.get("Retry-After", "").isdigit()):
            told = f"{answer.status_code} {answer.headers.get('Retry-After')} {answer.text[:200]}"
            self.journal.unclean.append(f"{answer.request.method} {answer.request.path_url}: {told}")


class Listener:
    """A user's socket, which resumes after the last event that it was sent whenever it is closed."""

    def __init__(self, url: str, token: str, user: str) -> None:
        self.url, self.token, self.user = url.replace("http", "ws", 1) + "/ws", token, user
        self.received: Counter[int] = Counter()
        self.connections = self.reloads = 0
        self.after: int | None = None
        self.ready = threading.Event()
        self.trouble = "no answer"
        self._stop = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop = True
        self._thread.join(timeout=30)

    async def _run(self) -> None:
        while not self._stop:
            closed = asyncio.Event()

            def take(text: str | bytes | None, closed: asyncio.Event = closed) -> None:
                if text is None:
                    closed.set()
                else:
                    self._take(json.loads(text))

            try:
                socket = await asyncio.wait_for(websocket_connect(self.url, on_message_callback=take), 5)
                await socket.write_message(json.dumps({"type": "hello", "token": self.token, "after": self.after}))
                while not self._stop and not closed.is_set():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(closed.wait(), 0.5)
                socket.close()
            except (OSError, TimeoutError, HTTPClientError, WebSocketError) as error:
                self.trouble = repr(error)
            await asyncio.sleep(random.uniform(0.05, 0.2))

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "ready":
            self.connections += 1
            if self.after is None:
                self.after = frame["after"]
            self.ready.set()
        elif frame["type"] == "event":
            self.received[frame["id"]] += 1
            self.after = max(self.after or 0, frame["id"])
        elif frame["type"] == "reload":
            self.reloads += 1


class Market:
    """A requester with a published project, workers who work at it, and listeners; all over `url`.

    `seed(names, money)` makes users with tokens, as `bench.stack.Stack.seed` does; `connect()` opens the primary.
    """

    def __init__(
        self,
        url: str,
        seed: Callable[..., list[dict[str, str]]],
        connect: Callable[[], Any],
        *,
        workers: int = 4,
        tasks: int = 4000,
        sockets: bool = True,
    ) -> None:
        self.url, self.connect = url, connect
        self.journal = Journal()
        requester, *people = seed(
            "Requester", *(f"Worker {number}" for number in range(workers)), money=[tasks * PLACES * REWARD * 2]
        )
        self.requester, self.people = requester, people
        self.reviewer = Caller(url, requester["token"], self.journal)
        self.project = self._publish(tasks)
        self.threads: list[threading.Thread] = []
        self.failures: list[str] = []
        self.stale: list[str] = []
        self.stopped = threading.Event()
        self.finished = threading.Event()
        self.listeners = [Listener(url, each["token"], each["id"]) for each in [requester, *people]] if sockets else []
        for listener in self.listeners:
            assert listener.ready.wait(30), f"no socket: {listener.trouble}"

    def _publish(self, tasks: int) -> str:
        fields = {
            "title": "Under load",
            "interface": INTERFACE,
            "reward": {"amount": REWARD, "currency": "USD"},
            "assignments_per_task": PLACES,
        }
        project: str = self.reviewer.must("POST", "/projects", fields)["id"]
        lines = b"question\n" + b"".join(b"What is in picture %d?\n" % number for number in range(tasks))
        self.reviewer.must("POST", f"/projects/{project}/tasks", lines, **{"Content-Type": "text/csv"})
        self.reviewer.must("POST", f"/projects/{project}/publish")
        return project

    @contextmanager
    def working(self, *, before: int = 60, after: int = 120, patience: float = 90) -> Iterator[None]:
        """Work while the body runs: from `before` answers on until `after` more have come since the body ended."""
        actors = [self._guard(self._work, each) for each in self.people] + [self._guard(self._review)]
        self.threads = [threading.Thread(target=actor, daemon=True) for actor in actors]
        for thread in self.threads:
            thread.start()
        try:
            self.wait_for_answers(before, patience)
            yield
            self.wait_for_answers(len(self.journal.acks) + after, patience)
        finally:
            self.stopped.set()
            for thread in self.threads:
                thread.join(timeout=PATIENCE + 10)
        assert not any(thread.is_alive() for thread in self.threads), "a worker never came back"
        assert self.failures == []

    def wait_for_answers(self, count: int, patience: float) -> None:
        deadline = time.monotonic() + patience
        while len(self.journal.acks) < count:
            assert self.failures == []
            assert time.monotonic() < deadline, (
                f"{len(self.journal.acks)} answers of {count} after {patience:.0f} s; refused: {self.journal.refusals}"
            )
            time.sleep(0.05)

    def _guard(self, work: Callable[..., None], *args: Any) -> Callable[[], None]:
        def run() -> None:
            try:
                work(*args)
            except Exception as error:  # noqa: BLE001  (told by `working`)
                self.failures.append(f"{type(error).__name__}: {error}")

        return run

    def _work(self, person: dict[str, str]) -> None:
        worker = Caller(self.url, person["token"], self.journal)
        turn = 0
        while not self.stopped.is_set():
            turn += 1
            claimed = worker.call("POST", f"/projects/{self.project}/claim")
            if claimed.status_code == 409:
                self.stopped.wait(0.2)
                continue
            assert claimed.status_code == 201, f"claim: {claimed.status_code} {claimed.text[:300]}"
            assignment = claimed.json()
            identifier = assignment["id"]
            self.journal.claims.append((identifier, assignment["task"], person["id"]))
            if turn % 7 == 0:
                worker.must("POST", f"/assignments/{identifier}/return")
                self.journal.returns.append(identifier)
                continue
            label = uuid4().hex
            worker.must("POST", f"/assignments/{identifier}/submit", {"answer": {"label": label}})
            self.journal.submits.append((identifier, label))
            if turn % 10 == 0:
                self._pay_out(worker)

    def _pay_out(self, worker: Caller) -> None:
        (purse,) = worker.must("GET", "/purses?kind=purse")
        amount = purse["balance"]["amount"]
        if amount >= REWARD:
            wanted = {
                "amount": {"amount": REWARD, "currency": "USD"},
                "destination": {"method": "bank", "details": "DE02 1203 0000 0000 2020 51"},
                "provider": "manual",
            }
            payout = worker.must("POST", f"/purses/{purse['id']}/payouts", wanted)
            self.journal.payouts.append((payout["id"], REWARD))

    def _review(self) -> None:
        while not self.stopped.is_set():
            waiting = self.reviewer.must("GET", f"/projects/{self.project}/assignments?state=submitted&limit=20")
            for each in waiting:
                if self.stopped.is_set():
                    return
                answer = self.reviewer.call("POST", f"/assignments/{each['id']}/accept")
                if answer.status_code == 409:
                    # Nobody else accepts: the list was older than this caller's own last write.
                    self.stale.append(each["id"])
                    continue
                assert answer.ok, f"accept: {answer.status_code} {answer.text[:300]}"
                self.journal.accepts.append(each["id"])
            if not waiting:
                self.stopped.wait(0.1)

    # What must be true afterwards

    def check(self, *, cut: int = 0) -> None:
        """Hold the primary's rows against the journal. Call it after `working`.

        `cut` answers at most may have been cut off; the calls were made again with their keys like all others.
        """
        with self.connect() as connection, connection.cursor() as cursor:
            self._check_work(cursor)
            self._check_money(cursor)
            if self.listeners:
                self._check_events(cursor)
        assert self.journal.unclean == []
        assert len(self.journal.cut) <= cut, self.journal.cut
        assert self.stale == []

    def _check_work(self, cursor: Any) -> None:
        cursor.execute(
            "SELECT id::text, task_id::text, worker_id::text, state, answer->>'label' FROM work_assignment"
            " WHERE project_id = %s",
            [self.project],
        )
        rows = {row[0]: row for row in cursor.fetchall()}
        lost = [claim for claim in self.journal.claims if claim[0] not in rows or rows[claim[0]][1:3] != claim[1:]]
        assert lost == [], f"acknowledged claims that are lost or changed: {lost[:5]}"
        assert rows.keys() == {claim[0] for claim in self.journal.claims}, "a claim was made that nobody was told of"
        assert len(self.journal.claims) == len(rows), "one claim was acknowledged twice"
        wrong = [(name, label) for name, label in self.journal.submits if rows[name][4] != label]
        assert wrong == [], f"acknowledged answers that are lost or changed: {wrong[:5]}"
        accepted = {name for name, row in rows.items() if row[3] == "accepted"}
        assert accepted == set(self.journal.accepts), "accepted in the database and in the journal differ"
        returned = {name for name, row in rows.items() if row[3] == "returned"}
        assert returned == set(self.journal.returns), "returned in the database and in the journal differ"
        cursor.execute(
            "SELECT task_id, count(*) FROM work_assignment WHERE project_id = %s"
            " AND state IN ('claimed', 'submitted', 'accepted', 'sent_back') GROUP BY task_id HAVING count(*) > %s",
            [self.project, PLACES],
        )
        assert cursor.fetchall() == [], "places over-assigned"
        cursor.execute(
            "SELECT task_id, worker_id FROM work_assignment WHERE project_id = %s GROUP BY 1, 2 HAVING count(*) > 1",
            [self.project],
        )
        assert cursor.fetchall() == [], "a worker has a task twice"

    def _check_money(self, cursor: Any) -> None:
        workers = [each["id"] for each in self.people]
        cursor.execute("SELECT id::text, amount FROM ledger_payout WHERE by_id = ANY(%s::uuid[])", [workers])
        assert sorted(cursor.fetchall()) == sorted(self.journal.payouts), "payouts and the journal differ"
        cursor.execute(
            "SELECT coalesce(sum(balance), 0) FROM ledger_purse WHERE owner_id = ANY(%s::uuid[]) AND kind = 'purse'",
            [workers],
        )
        earned = len(self.journal.accepts) * REWARD
        paid = sum(amount for _, amount in self.journal.payouts)
        assert int(cursor.fetchone()[0]) == earned - paid, "purses hold another sum than was earned and not paid out"

    def _check_events(self, cursor: Any) -> None:
        """Every event for a listener was sent to them, once after duplicates are dropped by id."""
        for listener in self.listeners:
            cursor.execute(
                "SELECT id FROM realtime_event WHERE %s::uuid = ANY(audience) AND subject_id IN"
                " (SELECT id FROM work_assignment WHERE project_id = %s)",
                [listener.user, self.project],
            )
            wanted = {row[0] for row in cursor.fetchall()}
            assert wanted, "there was nothing to hear of"
            deadline = time.monotonic() + 20
            while not wanted <= listener.received.keys() and time.monotonic() < deadline:
                time.sleep(0.05)
            missed = wanted - listener.received.keys()
            assert not missed, f"{len(missed)} of {len(wanted)} events missed, {listener.connections} connections"
            assert listener.reloads == 0, "a listener was told to reload instead of being sent what it missed"

    def close(self) -> None:
        for listener in self.listeners:
            listener.stop()
