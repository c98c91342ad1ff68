"""Plays answers that real people gave through the whole market, by HTTP, and checks what comes out.

Every worker of the data is a user with a token. They claim, answer what that person answered, and skip what that
person did not answer; the requester accepts; the platform aggregates; the ledger is audited.

    python bench/replay.py [duck] [dog]
"""

import argparse
import csv
import http.client
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.stack import Stack, running  # noqa: E402

DATA = ROOT / "tests" / "data"
REWARD = 7
PATIENCE = 30
"""Seconds. Others hold a task that they skip for milliseconds, and a transaction that is slow to end no longer."""


class Api:
    """One user's calls over one kept connection."""

    def __init__(self, url: str, token: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._used = time.monotonic()
        self.link = ""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and answer: parsed JSON, or text."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **self._headers, **headers}
        if method != "GET":
            sent["Idempotency-Key"] = uuid4().hex
        if time.monotonic() - self._used > 5:
            self._connection.close()  # the server ends idle connections; the next request opens one
        self._connection.request(method, f"/api/v1{path}", data, sent)
        response = self._connection.getresponse()
        text = response.read()
        self.link = response.headers.get("Link", "")
        self._used = time.monotonic()
        if "json" in response.headers.get("Content-Type", "") and "x-ndjson" not in response.headers["Content-Type"]:
            return response.status, json.loads(text)
        return response.status, text.decode()

    def page(self, path: str) -> tuple[list[Any], str]:
        """One page of a list, and the path of the next; empty when it was the last."""
        rows = self.must("GET", path)
        link = re.match(r"<[^>]*/api/v1([^>]*)>", self.link)
        return rows, link[1] if link else ""

    def must(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        status, answer = self.call(method, path, body, **headers)
        if status >= 300:
            raise AssertionError(f"{method} {path}: {status} {answer}")
        return answer


@dataclass
class Played:
    """What came out of one data set."""

    name: str
    tasks: int
    workers: int
    answers: int
    skips: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    accuracy: dict[str, float] = field(default_factory=dict)
    ties: int = 0
    """Tasks where the most frequent label is not the only one."""
    majority_range: tuple[float, float] = (0.0, 0.0)
    """Majority's accuracy if every tie were decided wrongly, and if rightly."""


def play(stack: Stack, name: str, *, skipping: bool = True, threads: int = 6) -> Played:
    """Play one data set. What is wrong is listed in `problems`, in plain words.

    Workers go through the project from task to task and skip what their person did not answer; or, not `skipping`,
    claim each task that their person answered by its id, which takes fewer calls.
    """
    answers, truth = _read(DATA / name)
    workers = sorted({worker for worker, _ in answers})
    tasks = sorted({task for _, task in answers})
    labels = sorted(set(answers.values()))
    places = len(answers) // len(tasks)
    result = Played(name, len(tasks), len(workers), len(answers))
    requester_user, *users = stack.seed("Requester", *workers, money=[len(answers) * REWARD])
    requester = Api(stack.url, requester_user["token"])
    project = _publish(requester, name, tasks, labels, places)
    started = time.perf_counter()
    ids = {} if skipping else _task_ids(requester, project)
    queue: SimpleQueue[tuple[str, dict[str, str]]] = SimpleQueue()
    for pair in zip(workers, users, strict=True):
        queue.put(pair)
    skipped = [0] * threads

    def work(number: int) -> None:
        while True:
            try:
                worker, user = queue.get_nowait()
            except Empty:
                return
            mine = {task: label for (name_, task), label in answers.items() if name_ == worker}
            try:
                if skipping:
                    skipped[number] += _work(Api(stack.url, user["token"]), project, mine)
                else:
                    _answer(Api(stack.url, user["token"]), {ids[task]: label for task, label in mine.items()})
            except Exception as error:  # noqa: BLE001  (told in the report, where it fails the run)
                result.problems.append(f"worker {worker}: {error}")

    pool = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    result.skips = sum(skipped)
    result.seconds = time.perf_counter() - started
    _accept(requester, project, len(answers), result)
    _check_results(requester, project, answers, places, result)
    _check_labels(requester, project, answers, truth, result)
    _check_money(stack, requester, project, answers, workers, users, result)
    return result


def _read(folder: Path) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    with open(folder / "answers.csv", newline="") as file:
        answers = {(row["worker"], row["question"]): row["answer"] for row in csv.DictReader(file)}
    with open(folder / "truth.csv", newline="") as file:
        truth = {row["question"]: row["truth"] for row in csv.DictReader(file)}
    return answers, truth


def _publish(requester: Api, name: str, tasks: list[str], labels: list[str], places: int) -> str:
    options = [{"value": label, "label": f"Class {label}"} for label in labels]
    elements = [
        {"show": "text", "from": "question"},
        {"ask": "choice", "key": "label", "label": "Which class?", "required": True, "options": options},
    ]
    project: str = requester.must(
        "POST",
        "/projects",
        {
            "title": f"Replay of {name}",
            "interface": {"kind": "elements", "elements": elements},
            "reward": {"amount": REWARD, "currency": "USD"},
            "assignments_per_task": places,
        },
    )["id"]
    rows = "question\r\n" + "".join(f"{task}\r\n" for task in tasks)
    batch = requester.must(
        "POST",
        f"/projects/{project}/tasks?key=question&filename={name}.csv",
        rows.encode(),
        **{"Content-Type": "text/csv"},
    )
    assert batch["added"] == len(tasks), batch
    requester.must("POST", f"/projects/{project}/publish")
    return project


def _work(worker: Api, project: str, mine: dict[str, str]) -> int:
    """Answer what this person answered, skip the rest, stop when done. Returns the number of skips.

    The last place of a task may be in the hands of somebody who is about to skip it: then nothing is left just now, and
    this worker looks again. What was given back must come within `PATIENCE` of the last answer.
    """
    skips, left = 0, len(mine)
    claim: dict[str, Any] | None = None
    deadline = time.monotonic() + PATIENCE
    while left:
        if claim is None:
            claim = _claim(worker, project)
            if claim is None:
                if time.monotonic() > deadline:
                    raise AssertionError(f"{left} tasks never came")
                time.sleep(0.2)
                continue
        label = mine.get(claim["input"]["question"])
        if label is None:
            claim = worker.must("POST", f"/assignments/{claim['id']}/skip")["next"]
            skips += 1
            continue
        left -= 1
        deadline = time.monotonic() + PATIENCE
        body = {"answer": {"label": label}, "next": left > 0}
        claim = worker.must("POST", f"/assignments/{claim['id']}/submit", body)["next"]
    return skips


def _claim(worker: Api, project: str) -> dict[str, Any] | None:
    """The next task; None while nothing is left."""
    path = f"/projects/{project}/claim"
    status, answer = worker.call("POST", path)
    if status == 409 and answer["code"] == "no_task_left":
        return None
    if status != 201:
        raise AssertionError(f"POST {path}: {status} {answer}")
    return dict(answer)


def _task_ids(requester: Api, project: str) -> dict[str, str]:
    """Ids of the project's tasks by their keys."""
    found: dict[str, str] = {}
    address = f"/projects/{project}/tasks?limit=200"
    while address:
        rows, link = requester.page(address)
        found.update({row["key"]: row["id"] for row in rows})
        address = link
    return found


def _answer(worker: Api, mine: dict[str, str]) -> None:
    """Claim and answer the given tasks, in an order of one's own: who starts where others do waits for them."""
    for task, label in random.Random(repr(sorted(mine))).sample(sorted(mine.items()), len(mine)):
        claim = worker.must("POST", f"/tasks/{task}/claim")
        worker.must("POST", f"/assignments/{claim['id']}/submit", {"answer": {"label": label}})


def _accept(requester: Api, project: str, wanted: int, result: Played) -> None:
    done = requester.must("POST", f"/projects/{project}/assignments/accept", {"filter": {"state": "submitted"}})
    if done["accepted"] != wanted or done["paid"]["amount"] != wanted * REWARD:
        result.problems.append(f"accepted {done['accepted']} of {wanted}, paid {done['paid']}")


def _check_results(
    requester: Api, project: str, answers: dict[tuple[str, str], str], places: int, result: Played
) -> None:
    text = requester.must("GET", f"/projects/{project}/results?format=jsonl")
    rows = [json.loads(line) for line in text.splitlines()]
    got = Counter((row["key"], row["answer"]["label"]) for row in rows)
    wanted = Counter((task, label) for (_, task), label in answers.items())
    if got != wanted:
        result.problems.append(f"answers differ: {sum((wanted - got).values())} of {len(answers)} are missing or wrong")
    pairs = Counter((row["key"], row["worker"]) for row in rows)
    if len(rows) != len(answers) or max(pairs.values()) > 1:
        result.problems.append(f"{len(rows)} rows for {len(answers)} answers; {len(rows) - len(pairs)} given twice")
    over = [task for task, count in Counter(row["key"] for row in rows).items() if count > places]
    if over:
        result.problems.append(f"{len(over)} tasks over their {places} places")


def _check_labels(
    requester: Api, project: str, answers: dict[tuple[str, str], str], truth: dict[str, str], result: Played
) -> None:
    for method in ("majority", "dawid_skene"):
        text = requester.must("GET", f"/projects/{project}/results?format=csv&aggregate={method}&key=label")
        labels = {row["key"]: row["label"] for row in csv.DictReader(text.splitlines())}
        result.accuracy[method] = sum(labels[task] == right for task, right in truth.items()) / len(truth)
    by_task: dict[str, Counter[str]] = {}
    for (_, task), label in answers.items():
        by_task.setdefault(task, Counter())[label] += 1
    tied = {
        task: {label for label, count in counts.items() if count == max(counts.values())}
        for task, counts in by_task.items()
    }
    tied = {task: best for task, best in tied.items() if len(best) > 1}
    result.ties = len(tied)
    sure = sum(by_task[task].most_common(1)[0][0] == right for task, right in truth.items() if task not in tied)
    lucky = sum(right in tied[task] for task, right in truth.items() if task in tied)
    result.majority_range = (sure / len(truth), (sure + lucky) / len(truth))


def _check_money(
    stack: Stack,
    requester: Api,
    project: str,
    answers: dict[tuple[str, str], str],
    workers: list[str],
    users: list[dict[str, str]],
    result: Played,
) -> None:
    earned = Counter(worker for worker, _ in answers)
    for worker, user in zip(workers, users, strict=True):
        purses = Api(stack.url, user["token"]).must("GET", "/purses")
        balance = sum(purse["balance"]["amount"] for purse in purses if purse["kind"] == "purse")
        if balance != earned[worker] * REWARD:
            result.problems.append(f"worker {worker} has {balance}, earned {earned[worker] * REWARD}")
    for purse in requester.must("GET", "/purses"):
        if purse["balance"]["amount"]:
            result.problems.append(f"the requester's {purse['kind']} holds {purse['balance']}")
    try:
        stack.manage("audit_ledger")
    except RuntimeError as error:
        result.problems.append(str(error))


def lines(result: Played) -> Iterator[str]:
    yield f"{result.name}: {result.answers} answers of {result.workers} workers to {result.tasks} tasks"
    yield f"  played in {result.seconds:.1f} s with {result.skips} skips"
    for method, accuracy in result.accuracy.items():
        yield f"  {method}: {accuracy:.4f} of the labels are true"
    low, high = result.majority_range
    yield f"  majority has {result.ties} ties: {low:.4f} if all were decided wrongly, {high:.4f} if rightly"
    yield from (f"  PROBLEM: {problem}" for problem in result.problems)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["duck", "dog"])
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as stack:
        for name in options.names:
            result = play(stack, name)
            print("\n".join(lines(result)), flush=True)
            failed = failed or bool(result.problems)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.SubprocessError as error:
        sys.exit(str(error))
