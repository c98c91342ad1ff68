"""Importing 1,000,000 tasks: one CSV file, uploaded by HTTP. Rows a second, and how large the server grew meanwhile."""

import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from bench.machine import Bench, Watch, middle
from bench.pairs import warm_up
from bench.replay import Api
from bench.world import INTERFACE, REWARD, User, World

KEYS = ("import_rows_per_s", "import_rss_mb")


def measure(bench: Bench) -> dict[str, Any]:
    rows = bench.sizes.import_rows
    rates: dict[str, list[float]] = {"plain": [], "key": []}
    peaks = []
    with bench.world() as world, tempfile.TemporaryDirectory(prefix="guildhall-csv-") as folder:
        (owner,) = world.users(1)
        warm_up(world)
        file = Path(folder) / "tasks.csv"
        with file.open("w") as out:
            out.write("image,question\n")
            for n in range(rows):
                out.write(f"https://example.org/images/{n}.jpg,What is in picture {n}?\n")
        for turn in range(bench.sizes.import_rounds):
            # A key column makes each row be looked for first; it is told beside.
            for name, query in (("plain", ""), ("key", "&key=image")) if turn == 0 else (("plain", ""),):
                rate, peak = _upload(world, owner, file, rows, query)
                rates[name].append(rate)
                peaks.append(peak)
                bench.say(f"import, round {turn + 1}, {name}: {rate:,.0f} rows a second, {peak:.0f} MB")
    return {
        "import_rows_per_s": middle(rates["plain"]),
        "import_rss_mb": max(peaks),
        "import_rows_per_s_with_key": middle(rates["key"]),
    }


def _upload(world: World, owner: User, file: Path, rows: int, query: str) -> tuple[float, float]:
    """Rows a second from the first byte sent to the answer, and the web process's peak in MB."""
    requester = Api(world.stack.url, owner.token)
    project = requester.must(
        "POST",
        "/projects",
        {"title": "Import", "interface": INTERFACE, "reward": {"amount": REWARD, "currency": "USD"}},
    )["id"]
    address = urlsplit(world.stack.url)
    head = (
        f"POST /api/v1/projects/{project}/tasks?filename=tasks.csv{query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {owner.token}\r\nIdempotency-Key: {uuid4().hex}\r\nConnection: close\r\n"
        f"Content-Type: text/csv\r\nContent-Length: {os.path.getsize(file)}\r\n\r\n"
    )
    with Watch(world.stack) as watch, socket.create_connection((address.hostname, address.port)) as connection:
        connection.settimeout(600)
        started = time.perf_counter()
        connection.sendall(head.encode())
        with file.open("rb") as body:
            connection.sendfile(body)
        text = b""
        while piece := connection.recv(65_536):
            text += piece
        seconds = time.perf_counter() - started
    if not text.startswith(b"HTTP/1.1 201"):
        raise RuntimeError(text[:1000].decode())
    ((count,),) = world.run("SELECT count(*) FROM projects_task WHERE project_id = %s", [project])
    if count != rows:
        raise RuntimeError(f"{count} of {rows} rows were imported.")
    return rows / seconds, watch.peak_mb
