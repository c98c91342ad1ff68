"""CSV for spreadsheets."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.core import csvtext


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "+", "=", "-1e", "+-1"]
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert csvtext.cell(text) == "'" + text


@pytest.mark.parametrize(
    "value", ["-1", "+1", "-1.5", "+.5", "-1e9", "-1.", "plain", "a=b", "", "ünï", 5, -5, 1.5, True]
)
def test_numbers_and_plain_text_stay(value):
    assert csvtext.cell(value) == value


def test_nothing_is_an_empty_cell():
    assert csvtext.cell(None) == ""


def test_text_with_a_newline_after_a_number_is_not_a_number():
    assert csvtext.cell("-1\n=1") == "'-1\n=1"


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00\r")), min_size=2, max_size=2)))
def test_what_is_written_can_be_read_and_runs_nothing(rows):
    written = b"".join(csvtext.stream(["one", "two"], rows)).decode()
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert read[0] == ["one", "two"]
    for row, back in zip(rows, read[1:], strict=True):
        assert [cell.removeprefix("'") if cell != given else cell for cell, given in zip(back, row, strict=True)] == row
        for cell in back:
            assert not cell.startswith(("=", "@", "\t"))


def test_rows_are_written_as_they_come():
    taken = []

    def rows():
        for n in range(100_000):
            taken.append(n)
            yield [n, "x" * 20]

    pieces = csvtext.stream(["n", "text"], rows())
    assert next(pieces) == b"n,text\r\n"
    assert taken == []
    assert 60_000 < len(next(pieces)) < 70_000
    assert len(taken) < 3000
