"""A WSGI application that keeps its caller waiting, for tests of the worker that serves it.

It writes the name of each request it runs to the file `ran` of the folder HELD, and answers when there is a file
`release`. `/stream/…` sends its first bytes before that.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django

django.setup()
_FOLDER = Path(os.environ["HELD"])


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    path = environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/healthz":
        yield b"alive"
        return
    with (_FOLDER / "ran").open("a") as file:
        file.write(f"{path}\n")
    if path.startswith("/stream/"):
        yield b"first"
    while path != "/quick" and not (_FOLDER / "release").exists():
        time.sleep(0.01)
    yield b"done"
