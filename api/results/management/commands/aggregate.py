"""`manage.py aggregate FILE.csv`: one label for each task of any file of answers. Needs no database."""

import csv
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from api.results.aggregation import METHODS, Answers, DawidSkene, TooManyLabels

_FIELD_LIMIT = 1 << 24


class Command(BaseCommand):
    help = "Print task,label as CSV: one label for each task of FILE, from all its answers."
    requires_system_checks: ClassVar[list[str]] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="CSV in UTF-8 with a header; - reads standard input")
        parser.add_argument("--task", required=True, metavar="COLUMN")
        parser.add_argument("--worker", required=True, metavar="COLUMN")
        parser.add_argument("--label", required=True, metavar="COLUMN")
        parser.add_argument("--method", choices=sorted(METHODS), default="majority")
        parser.add_argument("--delimiter", default=",", help='one character; "," unless told')
        parser.add_argument("--truth", metavar="FILE", help="CSV of true labels: the accuracy goes to stderr")
        parser.add_argument("--truth-task", metavar="COLUMN", help="as --task unless told")
        parser.add_argument("--truth-label", metavar="COLUMN", help="as --label unless told")

    def handle(self, **options: Any) -> None:
        if len(options["delimiter"]) != 1:
            raise CommandError("--delimiter takes one character.")
        table = _Table(options["file"], [options["task"], options["worker"], options["label"]], options["delimiter"])
        answers = Answers.from_rows((row[0], row[1], row[2]) for row in table)
        if not len(answers):
            raise CommandError(f"{table.name} has no answers: there is only a header.")
        try:
            consensus = METHODS[options["method"]](answers)
        except TooManyLabels as error:
            raise CommandError(str(error)) from None
        labels = consensus.labels()
        accuracy = self._accuracy(labels, options) if options["truth"] else ""

        say = self.stderr.write
        say(
            f"Answers: {len(answers)}, tasks: {len(answers.tasks)}, workers: {len(answers.workers)}, "
            f"labels: {len(answers.labels)}."
        )
        if table.incomplete:
            say(f"Lines left out because they lack a task, a worker or a label: {table.incomplete}.")
        if repeated := answers.repeated():
            say(f"Further answers of a worker to the same task, all of them counted: {repeated}.")
        if consensus.ties:
            say(f"Tied tasks, labelled with the first of their best labels in order: {len(consensus.ties)}.")
        if isinstance(consensus, DawidSkene):
            end = "converged" if consensus.converged else "stopped before it converged"
            likelihood = consensus.log_likelihood[-1]
            say(f"Iterations: {consensus.iterations}, {end}, log-likelihood {likelihood:.3f}.")
        if accuracy:
            say(accuracy)
        _print_csv(self.stdout, labels)

    def _accuracy(self, labels: dict[str, str], options: dict[str, Any]) -> str:
        columns = [options["truth_task"] or options["task"], options["truth_label"] or options["label"]]
        truth = {row[0]: row[1] for row in _Table(options["truth"], columns, options["delimiter"])}
        known = [task for task in labels if task in truth]
        if not known:
            return "No task is in the file of true labels."
        right = sum(labels[task] == truth[task] for task in known)
        return f"{right} of {len(known)} tasks are right: accuracy {right / len(known):.4f}."


class _Table:
    """The wanted columns of a CSV file, row by row. Raises CommandError for what it cannot read."""

    def __init__(self, path: str, columns: Sequence[str], delimiter: str) -> None:
        self.name = "Standard input" if path == "-" else path
        self.incomplete = 0
        self._path = path
        self._columns = columns
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[list[str]]:
        csv.field_size_limit(_FIELD_LIMIT)
        try:
            # newline="" and utf-8-sig: quoted line ends, CRLF and a byte order mark are csv's and the codec's
            # to see.
            source: Any = sys.stdin.fileno() if self._path == "-" else Path(self._path)
            with open(source, encoding="utf-8-sig", newline="", closefd=self._path != "-") as file:
                yield from self._rows(csv.reader(file, delimiter=self._delimiter))
        except FileNotFoundError:
            raise CommandError(f"There is no file {self.name}.") from None
        except OSError as error:
            raise CommandError(f"{self.name} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError as error:
            raise CommandError(f"{self.name} is not UTF-8: byte {error.object[error.start]:#04x}.") from None

    def _rows(self, reader: Any) -> Iterator[list[str]]:
        try:
            header = next(reader, None)
            if header is None:
                raise CommandError(f"{self.name} is empty.")
            missing = [column for column in self._columns if column not in header]
            if missing:
                raise CommandError(f"{self.name} has no column {missing[0]!r}; its columns are {', '.join(header)}.")
            places = [header.index(column) for column in self._columns]
            last = max(places)
            for row in reader:
                if not row:
                    continue
                if len(row) <= last:
                    raise CommandError(
                        f"Line {reader.line_num} of {self.name} has {len(row)} of {len(header)} columns."
                    )
                wanted = [row[place] for place in places]
                if all(wanted):
                    yield wanted
                else:
                    self.incomplete += 1
        except csv.Error as error:
            raise CommandError(f"Line {reader.line_num} of {self.name} is not CSV: {error}.") from None


def _print_csv(stdout: Any, labels: dict[str, str]) -> None:
    writer = csv.writer(stdout, lineterminator="\n")
    try:
        writer.writerow(["task", "label"])
        writer.writerows(labels.items())
        stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`); what is left in the buffer must not be complained about at
        # exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
