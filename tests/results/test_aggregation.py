"""Majority, Dawid–Skene and the measures beside them, against crowd-kit's labels and a plain oracle."""

import csv
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.results import aggregation
from api.results.aggregation import Answers, accuracy, agreement, dawid_skene, krippendorff_alpha, majority

DATA = Path(__file__).resolve().parent.parent / "data"
Row = tuple[str, str, str]


def rows_of(path: Path) -> list[Row]:
    with path.open(newline="") as file:
        return [(row[0], row[1], row[-1]) for row in list(csv.reader(file))[1:]]


def answers_of(name: str) -> Answers:
    return Answers.from_rows(rows_of(DATA / name / "answers.csv"))


def share_right(name: str, labels: dict[str, str]) -> float:
    truth = {row[0]: row[-1] for row in rows_of(DATA / name / "truth.csv")}
    assert set(labels) == set(truth)
    return sum(labels[task] == truth[task] for task in truth) / len(truth)


def crowdkit(name: str, method: str) -> dict[str, str]:
    with (DATA / "expected" / f"{name}.csv").open(newline="") as file:
        return {row["task"]: row[method] for row in csv.DictReader(file)}


@pytest.mark.parametrize(("name", "right"), [("duck", 96), ("dog", 680)])
def test_dawid_skene_labels_every_task_as_crowdkit_does(name: str, right: int) -> None:
    model = dawid_skene(answers_of(name))
    assert model.labels() == crowdkit(name, "dawid_skene")
    assert share_right(name, model.labels()) == pytest.approx(right / len(model.label))
    assert model.converged
    assert model.iterations == len(model.log_likelihood)


def test_majority_labels_every_untied_task_as_crowdkit_does() -> None:
    duck = majority(answers_of("duck"))
    assert duck.labels() == crowdkit("duck", "majority")
    assert duck.ties == {}
    assert share_right("duck", duck.labels()) == pytest.approx(0.7593, abs=5e-5)

    dog = majority(answers_of("dog"))
    theirs = crowdkit("dog", "majority")
    tasks, names = dog.answers.tasks, dog.answers.labels
    assert len(dog.ties) == 50
    for index, (task, label) in enumerate(dog.labels().items()):
        equals = [names[each] for each in dog.ties.get(index, [dog.label[index]])]
        assert task == tasks[index]
        assert theirs[task] in equals
        assert label == equals[0]


def test_a_tie_is_told_and_broken_by_the_smallest_label_whatever_the_order() -> None:
    rows = [
        ("t", "a", "10"),
        ("t", "b", "9"),
        ("t", "c", "9"),
        ("t", "d", "10"),
        ("t", "e", "2"),
        ("u", "a", "9"),
    ]
    for order in (rows, rows[::-1]):
        result = majority(Answers.from_rows(order))
        index = result.answers.tasks.index("t")
        names = result.answers.labels
        assert names == ["2", "9", "10"]
        assert [names[each] for each in result.ties[index]] == ["9", "10"]
        assert result.labels() == {"t": "9", "u": "9"}
        assert result.confidence[index] == pytest.approx(0.4)
        assert result.votes[index] == 5
        assert len(result.ties) == 1


def test_labels_that_are_not_all_numbers_are_sorted_as_text() -> None:
    for odd in ("b", "nan"):
        rows = [("t", "a", odd), ("t", "b", "10"), ("t", "c", "9")]
        assert Answers.from_rows(rows).labels == ["10", "9", odd]


def test_columns_and_rows_make_the_same_answers() -> None:
    random = np.random.default_rng(3)
    task, worker, label = (
        random.integers(-5, 40, 500),
        random.integers(0, 10**9, 500),
        random.integers(0, 3, 500),
    )
    by_rows = Answers.from_rows(zip(task.tolist(), worker.tolist(), label.tolist(), strict=True))
    for columns in ((task, worker, label), (task.tolist(), worker.tolist(), label.tolist())):
        by_columns = Answers.from_columns(*columns)
        assert by_columns.tasks == by_rows.tasks
        assert by_columns.workers == by_rows.workers
        assert by_columns.labels == by_rows.labels == [0, 1, 2]
        for name in ("task", "worker", "label"):
            assert (getattr(by_columns, name) == getattr(by_rows, name)).all()


def test_a_worker_who_answers_a_task_twice_is_counted_twice_and_told() -> None:
    answers = Answers.from_rows([("t", "a", "x"), ("t", "a", "x"), ("t", "b", "y"), ("u", "a", "x")])
    assert answers.repeated() == 1
    assert majority(answers).labels()["t"] == "x"


def test_no_answers_make_no_labels() -> None:
    nothing = Answers.from_rows([])
    assert majority(nothing).labels() == {}
    assert dawid_skene(nothing).labels() == {}
    assert krippendorff_alpha(nothing) is None


def test_confusions_and_priors_are_distributions() -> None:
    model = dawid_skene(answers_of("dog"))
    assert model.confusion.shape == (109, 4, 4)
    assert np.allclose(model.confusion.sum(axis=2), 1)
    assert model.priors.sum() == pytest.approx(1)
    assert np.allclose(model.probabilities.sum(axis=1), 1)
    assert (model.probabilities.max(axis=1) == model.confidence).all()
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(model.log_likelihood))


def test_a_good_worker_is_told_from_one_who_guesses() -> None:
    random = np.random.default_rng(5)
    truth = random.integers(0, 3, 300)
    rows = []
    for worker in range(6):
        for task, label in enumerate(truth.tolist()):
            good = worker < 4 and random.random() < 0.9
            rows.append((task, worker, label if good else int(random.integers(0, 3))))
    model = dawid_skene(Answers.from_rows(rows))
    assert accuracy(model)[:4].min() > 0.85
    assert accuracy(model)[4:].max() < 0.5
    assert agreement(model)[:4].min() > 0.85
    assert agreement(model)[4:].max() < 0.5
    assert (model.label == truth).mean() > 0.97


def test_equal_probabilities_are_a_tie() -> None:
    model = dawid_skene(Answers.from_rows([("t", "a", "x"), ("t", "b", "y"), ("u", "a", "x"), ("u", "b", "y")]))
    assert model.ties == {0: [0, 1], 1: [0, 1]}
    assert model.labels() == {"t": "x", "u": "x"}


def test_too_many_labels_are_refused() -> None:
    rows = [(task, "a", task) for task in range(aggregation.MAX_CLASSES + 1)]
    with pytest.raises(aggregation.TooManyLabels, match="Use the majority"):
        dawid_skene(Answers.from_rows(rows))


def test_alpha_of_krippendorffs_own_example() -> None:
    # "Computing Krippendorff's Alpha-Reliability" (2011), example C: several observers, gaps.
    observers = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    rows = [
        (unit, observer, value)
        for observer, line in enumerate(observers)
        for unit, value in enumerate(line)
        if value != "."
    ]
    assert krippendorff_alpha(Answers.from_rows(rows)) == pytest.approx(0.743, abs=5e-4)


def test_alpha_needs_two_labels_and_two_answers_to_a_task() -> None:
    assert krippendorff_alpha(Answers.from_rows([("t", "a", "x"), ("u", "b", "y")])) is None
    assert krippendorff_alpha(Answers.from_rows([("t", "a", "x"), ("t", "b", "x")])) is None
    full = [("t", "a", "x"), ("t", "b", "x"), ("u", "a", "y"), ("u", "b", "y")]
    assert krippendorff_alpha(Answers.from_rows(full)) == pytest.approx(1)


def plain_dawid_skene(rows: list[Row], iterations: int) -> dict[tuple[str, str], float]:
    """The same model by loops over dictionaries: the probability of each (task, label)."""
    tasks, labels = sorted({row[0] for row in rows}), sorted({row[2] for row in rows})
    said = {(worker, label) for _, worker, label in rows}
    p = {
        (t, c): sum(r[0] == t and r[2] == c for r in rows) / sum(r[0] == t for r in rows) for t in tasks for c in labels
    }
    for _ in range(iterations):
        prior = {c: sum(p[t, c] for t in tasks) / len(tasks) for c in labels}
        error = {}
        for worker, label in said:
            for c in labels:
                count = sum(p[t, c] for t, w, each in rows if (w, each) == (worker, label))
                error[worker, label, c] = max(count, 1e-10)
        total = {(w, c): sum(error[w, each, c] for v, each in said if v == w) for w, _ in said for c in labels}
        for t in tasks:
            logs = {
                c: math.log(max(prior[c], 1e-10))
                + sum(math.log(error[w, each, c] / total[w, c]) for u, w, each in rows if u == t)
                for c in labels
            }
            weights = {c: math.exp(logs[c] - max(logs.values())) for c in labels}
            for c in labels:
                p[t, c] = weights[c] / sum(weights.values())
    return p


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("tuvwx"), st.sampled_from("abcd"), st.sampled_from("012")),
        min_size=1,
        max_size=25,
    ),
    st.integers(1, 4),
)
def test_any_answers_give_the_probabilities_that_plain_loops_give(rows: list[Row], iterations: int) -> None:
    model = dawid_skene(Answers.from_rows(rows), iterations=iterations, tolerance=-math.inf)
    expected = plain_dawid_skene(rows, iterations)
    for task, shares in zip(model.answers.tasks, model.probabilities, strict=True):
        for label, share in zip(model.answers.labels, shares, strict=True):
            assert share == pytest.approx(expected[task, label], abs=1e-6)
