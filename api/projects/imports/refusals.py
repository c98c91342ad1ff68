"""What is wrong with an upload as a whole. Nothing of it is added."""

from api.core.errors import Invalid


class FileRefused(Invalid):
    """The file as a whole cannot be read; nothing of it was added."""

    code = "invalid_file"
    message = "This file cannot be read."


class EmptyFile(FileRefused):
    code = "empty_file"
    message = "There is not one task in this file."


class BinaryFile(FileRefused):
    code = "binary_file"
    message = "This is not a text file. Upload CSV, JSON lines or JSON, in UTF-8."


class WrongEncoding(FileRefused):
    """`extra`: `offset` of the first wrong byte, counted from 0, and its `line`."""

    code = "wrong_encoding"
    message = "This file is not in UTF-8. Save it again in UTF-8."


class MissingColumn(FileRefused):
    """`errors` name the columns."""

    code = "missing_column"
    message = "A column that is needed is missing."


class WrongHeader(FileRefused):
    """A column without a name, twice the same name, or one that the schema does not know."""

    code = "wrong_header"
    message = "The first line must name every column once."


class RowTooLong(FileRefused):
    """`extra["line"]` is where the row starts."""

    code = "row_too_long"
    message = "A row is too long."


class NotJSON(FileRefused):
    """`extra["line"]` is where reading stopped."""

    code = "invalid_json"
    message = "This is not a JSON array."


class TooLarge(FileRefused):
    code = "too_large"
    message = "This file is too large for one import. Split it."
    status = 413


def row_too_long(line: int) -> RowTooLong:
    message = (
        f"The row that starts on line {line:,} is longer than 1 MB. In CSV the reason can be a quote that is"
        " never closed."
    )
    return RowTooLong(message, line=line)
