"""An upload of tasks as it arrives over HTTP: which format it has, and its bytes as a stream that nothing buffers."""

import hashlib
from io import BytesIO
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from api.core.errors import FieldError, Invalid
from api.projects.imports import Format, Readable, TooLarge

_TYPES: dict[str, Format] = {
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/x-jsonlines": "jsonl",
    "application/json": "json",
}
_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
}
# Up to here Django keeps a body in memory, where the idempotency key's check may read it too.
_SMALL = 1_048_576


class UnknownFormat(Invalid):
    code = "unknown_format"
    message = "Send text/csv, application/x-ndjson or application/json, or one file of these as multipart/form-data."
    status = 415


class Upload:
    """The bytes of an upload as a stream, hashed as they pass; its format, and its file name when it has one."""

    def __init__(self, stream: Readable, format: Format, name: str = "") -> None:
        self.format = format
        self.name = name
        self._stream = stream
        self._digest = hashlib.blake2b(digest_size=16)
        self._count = 0

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end. Raises TooLarge past the limit of one import."""
        data = self._stream.read(size)
        self._count += len(data)
        if self._count > settings.IMPORT_MAX_BYTES:
            raise TooLarge
        self._digest.update(data)
        return data

    def drain(self) -> bytes:
        """Read what is left, and tell the digest of the whole.

        Also for an upload that is refused: a client that is still sending hears of it only when it has been heard
        out.
        """
        while self.read(262_144):
            pass
        return self._digest.digest()


def open_upload(request: HttpRequest) -> Upload:
    """Start reading what was sent.

    Raises UnknownFormat, TooLarge, and Invalid for a form without exactly one file named `file`.
    """
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > settings.IMPORT_MAX_BYTES:
        raise TooLarge
    if request.content_type == "multipart/form-data":
        file = _only_file(request)
        name = PurePath(file.name or "").name
        return Upload(file, _format_of(file.content_type or "", name), name)
    format_ = _format_of(request.content_type or "", "")
    if request.META.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        return Upload(request.environ["wsgi.input"], format_)  # type: ignore[attr-defined]
    return Upload(BytesIO(request.body) if length <= _SMALL else request, format_)


def discard(request: HttpRequest) -> None:
    """Read what was sent and keep none of it, on disk or elsewhere, so that the client hears that it is refused."""
    if int(request.META.get("CONTENT_LENGTH") or 0) <= settings.IMPORT_MAX_BYTES:
        while request.read(262_144):
            pass


def _format_of(content_type: str, name: str) -> Format:
    """By the type; where that says nothing (a form's file), by the end of the name."""
    found = _TYPES.get(content_type.partition(";")[0].strip().lower())
    found = _SUFFIXES.get(PurePath(name.lower()).suffix, found)
    if found is None:
        raise UnknownFormat
    return found


def _only_file(request: HttpRequest) -> "UploadedFile[Any]":
    files = [file for name in request.FILES for file in request.FILES.getlist(name)]
    if len(files) != 1 or "file" not in request.FILES or request.POST:
        detail = "Send exactly one file, in a field named file; options go into the query."
        raise Invalid(errors=[FieldError("file", detail, "required")])
    return files[0]
