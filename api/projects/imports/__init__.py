"""Reading uploads of tasks: CSV, JSON lines and JSON arrays of any size, in constant memory, line by line.

What is wrong with the file as a whole is raised (`FileRefused` and its kinds); what is wrong with a line goes
into the report, with the number of the line on which the record starts. Good rows are written to a temporary
file as lines of PostgreSQL's `COPY`, so that no transaction is open, and nobody waits, while a slow upload comes
in.
"""

from api.projects.imports.prepare import Prepared, prepare
from api.projects.imports.refusals import (
    BinaryFile,
    EmptyFile,
    FileRefused,
    MissingColumn,
    NotJSON,
    RowTooLong,
    TooLarge,
    WrongEncoding,
    WrongHeader,
)
from api.projects.imports.report import Format, OnError, Options, Problem, Readable, Report

__all__ = [
    "BinaryFile",
    "EmptyFile",
    "FileRefused",
    "Format",
    "MissingColumn",
    "NotJSON",
    "OnError",
    "Options",
    "Prepared",
    "Problem",
    "Readable",
    "Report",
    "RowTooLong",
    "TooLarge",
    "WrongEncoding",
    "WrongHeader",
    "prepare",
]
