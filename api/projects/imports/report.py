"""How an upload is read, and what is told about its lines."""

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Format = Literal["csv", "jsonl", "json"]
OnError = Literal["keep", "refuse"]

MAX_ROW = 1_048_576
KEPT_PROBLEMS = 10_000
PROBLEMS_PER_LINE = 20

Row = tuple[int, str | None, dict[str, Any], dict[str, Any] | None]
"""Line, key, input, gold."""

Found = tuple[str, str, str]
"""Code, column, detail."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Options:
    """How to read an upload.

    `key` names the CSV column (or, with `bare`, the input key) that tells tasks apart; `gold` is how the names
    of columns with known answers start; `bare` says that each JSON record is an input and nothing else.
    """

    on_error: OnError = "refuse"
    delimiter: str | None = None
    key: str | None = None
    gold: str = "gold:"
    bare: bool = False
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one line; `column` is empty when it is the line as a whole."""

    line: int
    code: str
    column: str
    detail: str


@dataclass(slots=True)
class Report:
    """Counts are exact; of the problems the first 10,000 are kept."""

    lines: int = 0
    rejected: int = 0
    problems: list[Problem] = field(default_factory=list)

    def reject(self, line: int, found: list[Found]) -> None:
        """Count a line as bad, for reasons of (code, column, detail)."""
        self.rejected += 1
        room = KEPT_PROBLEMS - len(self.problems)
        for code, column, detail in found[: min(room, PROBLEMS_PER_LINE)]:
            self.problems.append(Problem(line, code, _storable(column, 120), _storable(detail, 500)))


def _storable(text: str, longest: int) -> str:
    """Cut to what its column holds, without the NUL that PostgreSQL does not store."""
    return text[:longest].replace("\0", "\ufffd")
