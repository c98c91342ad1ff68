"""CSV for spreadsheets."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.core import csvtext


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\rx", "-", "+", "=", "-1e", "+-1"]
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
    assert csvtext.cell("-1\n=1") == "'-1\n'=1"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a\t@SUM(A1);b", "a\t'@SUM(A1);b"),
        ("a\n+cmd|' /C calc'!A0;", "a\n'+cmd|' /C calc'!A0;"),
        ('a;""-2+3', 'a;""\'-2+3'),
        ("1;-2;+3.5\t-4e1", "1;-2;+3.5\t-4e1"),
        ("a; b;c=d", "a; b;c=d"),
    ],
)
def test_what_would_run_where_cells_are_split_otherwise_gets_one_too(text, written):
    assert csvtext.cell(text) == written


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r'")) | st.text('a1=+-@;,\t\n" ')
ROWS = st.lists(st.lists(TEXTS, min_size=2, max_size=2))


@given(ROWS)
def test_what_is_written_can_be_read(rows):
    written = b"".join(csvtext.stream(["one", "two"], rows)).decode()
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert [[cell.replace("'", "") for cell in row] for row in read] == [["one", "two"], *rows]


@given(ROWS, st.sampled_from(",;\t"))
def test_what_is_written_runs_nothing_however_it_is_split(rows, delimiter):
    written = b"".join(csvtext.stream(["one", "two"], rows)).decode()
    for row in csv.reader(io.StringIO(written, newline=""), delimiter=delimiter):
        for cell in row:
            assert not cell.startswith(("=", "@"))
            assert not cell.startswith(("+", "-")) or re.match(r"[+-][0-9.][0-9.e+-]*(,|\"|\Z)", cell), cell


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
