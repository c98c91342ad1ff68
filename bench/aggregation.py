"""Dawid–Skene against crowd-kit: the same labels on real answers, and the time for a million made-up ones.

    python -m bench.aggregation            prints JSON: dawid_skene_s, dawid_skene_vs_crowdkit, labels_equal,
    … python -m bench.aggregation --fixture  rewrites tests/data/expected from crowd-kit

crowd-kit is installed on first use, into an environment of its own under the data directory.
"""

import argparse
import csv
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np

from api.results.aggregation import Answers, dawid_skene
from config.env import data_dir

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"
EXPECTED = DATA / "expected"
SETS = ("duck", "dog")
REQUIREMENTS = ROOT / "bench" / "crowdkit" / "requirements.txt"
REFERENCE = ROOT / "bench" / "crowdkit" / "reference.py"

WORKERS, CLASSES, ANSWERS, ANSWERS_EACH = 1_000, 4, 1_000_000, 10
RUNS = 3


def reference_python() -> str:
    """The interpreter of crowd-kit's environment, which is made anew when its requirements have changed."""
    place = data_dir() / "crowdkit"
    python = place / "bin" / "python"
    stamp = place / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        print("Installing crowd-kit into an environment of its own …", file=sys.stderr)
        venv.create(place, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", REQUIREMENTS]
        subprocess.run(install, check=True, stdout=sys.stderr)
        stamp.write_text(wanted)
    return str(python)


def reference_labels(python: str, name: str) -> str:
    """crowd-kit's labels of one data set, as CSV: task, majority, dawid_skene."""
    command = [python, REFERENCE, "labels", DATA / name / "answers.csv"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def real_labels_equal(python: str) -> bool:
    for name in SETS:
        with (DATA / name / "answers.csv").open(newline="") as file:
            rows = ((row["question"], row["worker"], row["answer"]) for row in csv.DictReader(file))
            ours = dawid_skene(Answers.from_rows(rows)).labels()
        theirs = csv.DictReader(io.StringIO(reference_labels(python, name)))
        if ours != {row["task"]: row["dawid_skene"] for row in theirs}:
            return False
    return True


def made_up_answers(answers: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Ten answers to each task, by workers who are right between 40 and 95 times in a hundred."""
    random = np.random.default_rng(seed)
    tasks = answers // ANSWERS_EACH
    truth = random.integers(0, CLASSES, tasks)
    skill = random.uniform(0.4, 0.95, WORKERS)
    task = random.permutation(np.repeat(np.arange(tasks), ANSWERS_EACH))
    worker = random.integers(0, WORKERS, len(task))
    right = random.random(len(task)) < skill[worker]
    wrong = (truth[task] + random.integers(1, CLASSES, len(task))) % CLASSES
    return {"task": task, "worker": worker, "label": np.where(right, truth[task], wrong)}


def compare_speed(python: str, answers: int = ANSWERS) -> dict[str, float | int | bool]:
    """Both on the same answers, from plain columns to labels: our median of RUNS, one run of
    theirs."""
    columns = made_up_answers(answers)
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        model = dawid_skene(Answers.from_columns(columns["task"], columns["worker"], columns["label"]))
        times.append(time.perf_counter() - start)
    labels = model.labels()
    with tempfile.TemporaryDirectory() as folder:
        given, theirs = Path(folder) / "answers.npz", Path(folder) / "labels.npy"
        np.savez(given, **columns)
        command = [python, REFERENCE, "time", given, theirs]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        equal = np.load(theirs).tolist() == [labels[task] for task in range(len(labels))]
    ours = sorted(times)[RUNS // 2]
    return {
        "dawid_skene_s": round(ours, 3),
        "dawid_skene_vs_crowdkit": round(told["seconds"] / ours, 1),
        "crowdkit_s": round(told["seconds"], 3),
        "iterations": model.iterations,
        "crowdkit_iterations": told["iterations"],
        "labels_equal": equal,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fixture", action="store_true")
    parser.add_argument("--answers", type=int, default=ANSWERS)
    wanted = parser.parse_args()
    python = reference_python()
    if wanted.fixture:
        EXPECTED.mkdir(exist_ok=True)
        for name in SETS:
            (EXPECTED / f"{name}.csv").write_text(reference_labels(python, name))
        return
    result = compare_speed(python, wanted.answers)
    result["labels_equal"] = bool(result["labels_equal"]) and real_labels_equal(python)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
