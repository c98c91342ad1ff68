"""`manage.py aggregate`, as a person at a shell meets it."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "tests" / "data"


def aggregate(file: Path | str, **options: str) -> tuple[list[str], str]:
    """The lines on stdout, and stderr."""
    out, err = io.StringIO(), io.StringIO()
    names = {"task": "t", "worker": "w", "label": "l", **options}
    call_command("aggregate", str(file), stdout=out, stderr=err, **names)
    return out.getvalue().splitlines(), err.getvalue()


def file_of(folder: Path, content: str | bytes) -> Path:
    path = folder / "answers.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "method", "says"),
    [
        ("duck", "majority", "accuracy 0.7593"),
        ("duck", "dawid_skene", "accuracy 0.8889"),
        ("dog", "majority", "best labels in order: 50."),
        ("dog", "dawid_skene", "accuracy 0.8426"),
    ],
)
def test_real_answers(name: str, method: str, says: str) -> None:
    lines, err = aggregate(
        DATA / name / "answers.csv",
        task="question",
        worker="worker",
        label="answer",
        method=method,
        truth=str(DATA / name / "truth.csv"),
        truth_label="truth",
    )
    assert lines[0] == "task,label"
    assert len(lines) == 1 + {"duck": 108, "dog": 807}[name]
    assert says in err


def test_a_byte_order_mark_crlf_quotes_and_other_columns(tmp_path: Path) -> None:
    content = '\ufeff"t",x,w,l\r\n"a,1",?,1,"yes\r\nsir"\r\n\r\n"a,1",?,2,"yes\r\nsir"\r\nb,?,1,=no\r\n'
    lines, err = aggregate(file_of(tmp_path, content))
    assert lines == ["task,label", '"a,1","yes', 'sir"', "b,=no"]
    assert "Answers: 3, tasks: 2, workers: 2, labels: 2." in err


def test_what_is_odd_about_the_answers_is_said_on_stderr(tmp_path: Path) -> None:
    lines, err = aggregate(file_of(tmp_path, "t,w,l\na,1,x\na,1,y\nb,1,\n,2,x\n"))
    assert lines == ["task,label", "a,x"]
    assert "Lines left out because they lack a task, a worker or a label: 2." in err
    assert "Further answers of a worker to the same task, all of them counted: 1." in err
    assert "Tied tasks, labelled with the first of their best labels in order: 1." in err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty."),
        ("t,w,l\n", "has no answers: there is only a header."),
        ("t,worker,l\na,b,c\n", "has no column 'w'; its columns are t, worker, l."),
        ("t,w,l\na,1,x\nb,1\n", "Line 3 of .* has 2 of 3 columns."),
        (b"t,w,l\na,1,\xe9\n", "is not UTF-8: byte 0xe9."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(CommandError, match=says) as refused:
        aggregate(file_of(tmp_path, content))
    assert "\n" not in str(refused.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no file .*none\.csv\."):
        aggregate(tmp_path / "none.csv")
    with pytest.raises(CommandError, match=r"cannot be read: Is a directory\."):
        aggregate(tmp_path)


def test_from_a_pipe_into_a_pipe_that_closes() -> None:
    command = (
        f"{sys.executable} manage.py aggregate - --task question --worker worker --label answer "
        "--method dawid_skene < tests/data/duck/answers.csv | head -2"
    )
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["task,label", "36618,0"]
    assert "Traceback" not in done.stderr


def test_an_error_ends_with_a_code_that_is_not_zero() -> None:
    command = [
        sys.executable,
        "manage.py",
        "aggregate",
        "none.csv",
        "--task",
        "t",
        "--worker",
        "w",
        "--label",
        "l",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip() == "CommandError: There is no file none.csv."


def test_it_needs_no_installation_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """A checkout where `make run` was never called, and nothing is set."""
    file = file_of(tmp_path, "t,w,l\na,1,x\na,2,x\n")
    env = {"PATH": os.defpath, "GUILDHALL_DATA": str(tmp_path / "data")}
    command = [sys.executable, "manage.py", "aggregate", str(file), "--task", "t", "--worker", "w", "--label", "l"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.splitlines()) == (0, ["task,label", "a,x"]), done.stderr
    assert not (tmp_path / "data").exists()
