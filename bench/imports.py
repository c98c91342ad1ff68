"""How fast tasks are imported, and in how much memory: the service itself, on the configured database.

    python -m bench.imports [--rows 1000000] [--format csv] [--key] [--published]

Prints one JSON object: rows per second for reading the upload, for adding it and for both, and the highest resident
size of the process in MB. Everything is made in a project of its own and deleted at the end.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Iterator

import django


def _pieces(form: str, rows: int) -> Iterator[bytes]:
    """An upload of `rows` tasks with two short columns, made as it is read."""
    first = {"csv": b"image,question\n", "jsonl": b"", "json": b"["}[form]
    line = {
        "csv": "https://example.org/images/%d.jpg,Is there a duck in picture %d?\n",
        "jsonl": '{"input":{"image":"https://example.org/images/%d.jpg","question":"A duck in %d?"},"key":"%d"}\n',
        "json": '{"input":{"image":"https://example.org/images/%d.jpg","question":"A duck in %d?"},"key":"%d"},\n',
    }[form]
    yield first
    step = 1000
    for start in range(0, rows, step):
        numbers = range(start, min(rows, start + step))
        piece = "".join([line % ((number,) * line.count("%d")) for number in numbers]).encode()
        last = numbers[-1] == rows - 1
        yield piece[:-2] + b"]" if form == "json" and last else piece


class _Stream:
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int) -> bytes:
        parts, have = [self._rest], len(self._rest)
        while have < size and (piece := next(self._pieces, None)) is not None:
            parts.append(piece)
            have += len(piece)
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--format", choices=["csv", "jsonl", "json"], default="csv")
    parser.add_argument("--key", action="store_true", help="import by key, which looks for duplicates")
    parser.add_argument("--published", action="store_true", help="into a published project, opening every place")
    wanted = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(json.dumps(measure(wanted.rows, wanted.format, wanted.key, wanted.published), indent=2))


def measure(rows: int, form: str, keyed: bool, published: bool) -> dict[str, float | int | str | bool]:
    from uuid import uuid4

    from django.db import transaction

    from api.accounts.models import User
    from api.ledger import services as ledger
    from api.ledger.models import Purse, Transfer
    from api.projects import services
    from api.projects.imports import Options

    class Undo(Exception):
        pass

    text = {"type": "string", "maxLength": 200}
    fields = {
        "title": "Import bench",
        "input_schema": {
            "type": "object",
            "properties": {"image": text, "question": text},
            "required": ["image", "question"],
            "additionalProperties": False,
        },
        "interface": {"kind": "html", "html": "<p>Duck?</p>"},
        "answer_schema": {"type": "object"},
        "reward": {"amount": 1, "currency": "USD"},
    }
    result: dict[str, float | int | str | bool] = {}
    try:
        with transaction.atomic():
            user = User.objects.create(email=f"bench.{uuid4().hex}@example.org", password="!")
            project = services.create_project(by=user, fields=fields)
            if published:
                outside = ledger.system_purse(kind=Purse.Kind.EXTERNAL, currency="USD")
                purse = ledger.purse_of(owner_id=user.id, currency="USD")
                ledger.transfer(
                    key=f"bench:{uuid4()}",
                    kind=Transfer.Kind.DEPOSIT,
                    lines=[(outside.id, -rows - 1), (purse.id, rows + 1)],
                )
                _add(services, project.id, user, "csv", Options(), 1)
                services.publish_project(project_id=project.id, by=user)
            options = Options(key="image" if keyed and form == "csv" else None)
            started, cpu = time.perf_counter(), time.process_time()
            read, added = _add(services, project.id, user, form, options, rows)
            ended = time.perf_counter()
            if added != rows:
                raise RuntimeError(f"{added} of {rows} rows were added.")
            result = {
                "rows": rows,
                "format": form,
                "by_key": keyed or form != "csv",
                "published": published,
                "read_rows_per_s": round(rows / (read - started)),
                "add_rows_per_s": round(rows / (ended - read)),
                "rows_per_s": round(rows / (ended - started)),
                "process_cpu_s": round(time.process_time() - cpu, 2),
                "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
            raise Undo
    except Undo:
        return result
    raise RuntimeError("Nothing was measured.")


def _add(services, project_id, user, form, options, rows) -> tuple[float, int]:  # type: ignore[no-untyped-def]
    """When reading was done, and how many tasks were added."""
    stream = _Stream(_pieces(form, rows))
    with services.read_tasks(project_id=project_id, by=user, stream=stream, format=form, options=options) as prepared:
        read = time.perf_counter()
        batch = services.add_tasks(project_id=project_id, by=user, prepared=prepared)
    return read, batch.added


if __name__ == "__main__":
    main()
