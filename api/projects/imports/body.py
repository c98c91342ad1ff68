"""The bytes of an upload, checked as they pass."""

import codecs
import io
from typing import Any

from django.conf import settings

from api.projects.imports.refusals import BinaryFile, TooLarge, WrongEncoding, row_too_long
from api.projects.imports.report import MAX_ROW, Readable

CHUNK = 262_144

# What people upload by mistake, by how it starts.
_SIGNATURES = (
    (b"PK\x03\x04", "This is a ZIP file or a spreadsheet (.xlsx, .ods). Save the sheet as CSV, in UTF-8."),
    (b"\xd0\xcf\x11\xe0", "This is an old Excel workbook (.xls). Save the sheet as CSV, in UTF-8."),
    (b"\x1f\x8b", "This file is compressed with gzip. Unpack it first."),
    (b"%PDF-", "This is a PDF."),
)


class Body(io.RawIOBase):
    """The upload as checked bytes: counted, known to be UTF-8 without NUL, its byte order mark taken off.

    Whoever reads rows from it sets `line` to the last line of the last whole row, and `rows` too where many rows
    lie on one line. When both stand still for longer than a row may be, the row is too long, and is refused before
    it fills the memory.
    """

    def __init__(self, stream: Readable) -> None:
        super().__init__()
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._newlines = 0
        self._before = (0, 0)
        self._stuck = 0
        self._rest = b""
        self._ended = False
        self.count = 0
        self.line = 0
        self.rows = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._next()
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def _next(self) -> bytes:
        """The next chunk, checked; empty at the end."""
        data = b""
        while not self._ended and len(data) < CHUNK:
            part = self._stream.read(CHUNK - len(data))
            self._ended = not part
            data += part
        first = self.count == 0
        if first and data:
            _require_text(data)
        self._require_row_ends(len(data))
        self._require_utf8(data)
        self.count += len(data)
        if self.count > settings.IMPORT_MAX_BYTES:
            raise TooLarge(f"One import takes at most {settings.IMPORT_MAX_BYTES:,} bytes. Split the file.")
        if first and data.startswith(codecs.BOM_UTF8):
            return data[3:] or self._next()
        return data

    def _require_utf8(self, data: bytes) -> None:
        pending = len(self._decoder.getstate()[0])
        try:
            self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            at = error.start - pending
            line = self._newlines + data.count(b"\n", 0, max(0, at)) + 1
            offset = self.count + at
            raise WrongEncoding(
                f"This file is not in UTF-8: byte {offset:,}, on line {line:,}, is wrong. Save it in UTF-8.",
                offset=offset,
                line=line,
            ) from None
        nul = data.find(b"\0")
        if nul >= 0:
            line = self._newlines + data.count(b"\n", 0, nul) + 1
            detail = f"This is not a text file: there is a NUL byte at {self.count + nul:,}, on line {line:,}."
            raise BinaryFile(detail, line=line)
        self._newlines += data.count(b"\n")

    def _require_row_ends(self, size: int) -> None:
        if (self.line, self.rows) != self._before:
            self._before = (self.line, self.rows)
            self._stuck = 0
        self._stuck += size
        if self._stuck > MAX_ROW + 2 * CHUNK:
            raise row_too_long(self.line + 1)


def _require_text(start: bytes) -> None:
    for signature, detail in _SIGNATURES:
        if start.startswith(signature):
            raise BinaryFile(detail)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise WrongEncoding("This file is in UTF-16. Save it again in UTF-8.", offset=0, line=1)


def text_of(body: Body) -> io.TextIOWrapper:
    text = io.TextIOWrapper(io.BufferedReader(body, CHUNK), encoding="utf-8", newline="")
    text._CHUNK_SIZE = CHUNK  # type: ignore[attr-defined]
    return text
