"""One label for each task out of many workers' answers. Pure numpy: no database, no Django.

Answers may repeat a (task, worker) pair; each counts. Tasks keep the order in which they first appear; labels
are in sorted order, so that results do not depend on the order of the answers beyond that.
"""

import math
from array import array
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# No probability is taken to be smaller: a label that a worker never confused so far is unlikely, not
# impossible.
_FLOOR = 1e-10
# Two labels whose probabilities differ by less than this are equally likely.
_SAME = 1e-9
MAX_CLASSES = 200
MAX_CELLS = 50_000_000


class TooManyLabels(ValueError):
    """There are more distinct labels than Dawid–Skene can estimate confusions between."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers as three integer columns into the distinct tasks, workers and labels.

    `task`, `worker` and `label` have one element for each answer.
    """

    tasks: list[Any]
    workers: list[Any]
    labels: list[Any]
    task: Ints
    worker: Ints
    label: Ints

    def __len__(self) -> int:
        return len(self.task)

    @classmethod
    def from_columns(
        cls, tasks: Sequence[Hashable], workers: Sequence[Hashable], labels: Sequence[Hashable]
    ) -> "Answers":
        """Answers from three columns of equal length, of any hashable values (lists or numpy arrays)."""
        task_values, task = _codes(tasks)
        worker_values, worker = _codes(workers)
        label_values, label = _codes(labels)
        return cls._sorted(task_values, worker_values, label_values, task, worker, label)

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[Hashable, Hashable, Hashable]]) -> "Answers":
        """Answers from (task, worker, label) rows, read once; each keeps 24 bytes beside its distinct
        values."""
        tasks: dict[Any, int] = {}
        workers: dict[Any, int] = {}
        labels: dict[Any, int] = {}
        columns = array("q"), array("q"), array("q")
        for task, worker, label in rows:
            columns[0].append(tasks.setdefault(task, len(tasks)))
            columns[1].append(workers.setdefault(worker, len(workers)))
            columns[2].append(labels.setdefault(label, len(labels)))
        task_codes, worker_codes, label_codes = (np.array(column, dtype=np.int64) for column in columns)
        return cls._sorted(list(tasks), list(workers), list(labels), task_codes, worker_codes, label_codes)

    @classmethod
    def _sorted(
        cls, tasks: list[Any], workers: list[Any], labels: list[Any], task: Ints, worker: Ints, label: Ints
    ) -> "Answers":
        """The same with the labels in order."""
        order = sorted(range(len(labels)), key=_label_order(labels))
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return cls(tasks, workers, [labels[index] for index in order], task, worker, rank[label])

    def repeated(self) -> int:
        """How many answers are beyond the first of their worker to their task."""
        pairs = np.unique(self.task * max(1, len(self.workers)) + self.worker)
        return len(self) - len(pairs)


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the answers come to.

    `label[i]` is the index into `answers.labels` for `answers.tasks[i]`; `confidence[i]`, between 0 and 1, is
    the share of votes (majority) or the probability (Dawid–Skene) of that label. `ties` maps the index of a
    task to the labels that are equally good, ascending; of these `label` has the first.
    """

    answers: Answers
    label: Ints
    confidence: Floats
    votes: Ints
    ties: dict[int, list[int]]

    def labels(self) -> dict[Any, Any]:
        """The label of each task, by value."""
        names = self.answers.labels
        return {task: names[index] for task, index in zip(self.answers.tasks, self.label.tolist(), strict=True)}


@dataclass(frozen=True, slots=True)
class DawidSkene(Consensus):
    """A consensus with the model behind it.

    `probabilities[i, c]`: task i is of class c. `priors[c]`: share of class c. `confusion[w, c, l]`: worker w
    answers l when the truth is c; each row sums to 1. `log_likelihood[k]` (natural logarithm, all answers
    together): of the answers under the parameters that iteration k started from; the last belongs to
    `probabilities`.
    """

    probabilities: Floats
    priors: Floats
    confusion: Floats
    iterations: int
    log_likelihood: list[float]
    converged: bool


def majority(answers: Answers) -> Consensus:
    """The label that most answers give; of equally frequent ones the first in sorted order, told in
    `ties`."""
    task, label, count = _tally(answers)
    if not len(answers):
        return Consensus(answers, task, np.zeros(0), task, {})
    starts = np.flatnonzero(np.diff(task, prepend=-1))
    best = np.maximum.reduceat(count, starts)
    votes = np.add.reduceat(count, starts)
    winning = np.flatnonzero(count == best[task])
    winners = label[winning]
    first = np.flatnonzero(np.diff(task[winning], prepend=-1))
    ties = _ties(task[winning], winners)
    return Consensus(answers, winners[first], best / votes, votes, ties)


def dawid_skene(answers: Answers, *, iterations: int = 100, tolerance: float = 1e-5) -> DawidSkene:
    """Estimate every worker's confusion matrix and every task's label together, by expectation maximisation.

    Dawid and Skene, Applied Statistics 28(1), 1979. Starts from the shares of votes; stops after
    `iterations`, or when the evidence lower bound per answer grows by less than `tolerance`, measured as
    crowd-kit does so that both stop at the same step. Raises TooManyLabels past MAX_CLASSES labels, or
    MAX_CELLS tasks × labels.
    """
    n_tasks, n_workers, n_classes = len(answers.tasks), len(answers.workers), len(answers.labels)
    if n_classes > MAX_CLASSES or n_tasks * n_classes > MAX_CELLS:
        raise TooManyLabels(
            f"There are {n_classes} different labels for {n_tasks} tasks; Dawid–Skene takes at most "
            f"{MAX_CLASSES} labels, and {MAX_CELLS} labels × tasks. Use the majority."
        )
    if not len(answers):
        nothing = np.zeros((0, 0))
        empty = np.zeros(0, dtype=np.int64)
        return DawidSkene(
            answers, empty, np.zeros(0), empty, {}, nothing, np.zeros(0), np.zeros((0, 0, 0)), 0, [], True
        )

    # Every array is class-major, so that each class is one contiguous column for `take` and `bincount`.
    task = answers.task
    votes = np.bincount(task, minlength=n_tasks)
    said = answers.worker * n_classes + answers.label
    # What a worker never said has no row to estimate; it stays 0 instead of taking a share of the floor.
    ever = np.bincount(said, minlength=n_workers * n_classes) > 0

    posterior = np.empty((n_classes, n_tasks))
    counts = np.empty((n_classes, n_workers * n_classes))
    for c in range(n_classes):
        posterior[c] = np.bincount(task, weights=answers.label == c, minlength=n_tasks)
    posterior /= votes
    priors = posterior.mean(axis=1)
    errors = _errors(posterior, task, said, ever, counts, n_workers)

    trace: list[float] = []
    bound = -np.inf
    converged = False
    while len(trace) < iterations and not converged:
        log_errors = np.log(errors, out=np.zeros_like(errors), where=ever)
        log_priors = np.log(np.maximum(priors, _FLOOR))
        for c in range(n_classes):
            posterior[c] = np.bincount(task, weights=log_errors[c].take(said), minlength=n_tasks)
        posterior += log_priors[:, None]
        highest = posterior.max(axis=0)
        posterior -= highest
        np.exp(posterior, out=posterior)
        total = posterior.sum(axis=0)
        trace.append(float((highest + np.log(total)).sum()))
        posterior /= total

        priors = posterior.mean(axis=1)
        errors = _errors(posterior, task, said, ever, counts, n_workers)
        reached = _bound(posterior, priors, errors, counts, ever) / len(answers)
        converged = reached - bound < tolerance
        bound = reached

    label = posterior.argmax(axis=0)
    confidence = posterior.max(axis=0)
    near = np.argwhere((posterior > confidence - _SAME).T)
    ties = _ties(near[:, 0], near[:, 1])
    for index, equals in ties.items():
        label[index] = equals[0]
    return DawidSkene(
        answers=answers,
        label=label,
        confidence=confidence,
        votes=votes,
        ties=ties,
        probabilities=posterior.T,
        priors=priors,
        confusion=errors.reshape(n_classes, n_workers, n_classes).transpose(1, 0, 2),
        iterations=len(trace),
        log_likelihood=trace,
        converged=converged,
    )


METHODS: dict[str, Callable[[Answers], Consensus]] = {"majority": majority, "dawid_skene": dawid_skene}


def agreement(consensus: Consensus) -> Floats:
    """For each worker, the share of their answers that equal the consensus, between 0 and 1."""
    answers = consensus.answers
    same = answers.label == consensus.label[answers.task]
    given = np.bincount(answers.worker, minlength=len(answers.workers))
    return np.asarray(np.bincount(answers.worker, weights=same, minlength=len(answers.workers)) / given)


def accuracy(model: DawidSkene) -> Floats:
    """For each worker, the probability of a right answer to a task drawn by the priors, between 0 and 1."""
    return np.asarray(np.einsum("wcc,c->w", model.confusion, model.priors))


def krippendorff_alpha(answers: Answers) -> float | None:
    """Krippendorff's alpha for nominal data: 1 is full agreement, 0 what chance gives, below 0 is worse than
    that.

    Only tasks with two or more answers count. None when there are none, or when every answer is the same.
    """
    task, label, count = _tally(answers)
    votes = np.bincount(task, weights=count, minlength=len(answers.tasks))
    paired = votes[task] > 1
    task, label, count = task[paired], label[paired], count[paired]
    totals = np.bincount(label, weights=count)
    n = totals.sum()
    expected = n * n - (totals * totals).sum()
    if not expected:
        return None
    squares = np.bincount(task, weights=count * count, minlength=len(answers.tasks))
    several = votes > 1
    observed = ((votes[several] ** 2 - squares[several]) / (votes[several] - 1)).sum()
    return float(1 - (n - 1) * observed / expected)


def _errors(posterior: Floats, task: Ints, said: Ints, ever: Any, counts: Floats, n_workers: int) -> Floats:
    """The maximisation step: fill `counts` and answer the share of each worker's labels, for each true
    class."""
    n_classes = len(posterior)
    for c in range(n_classes):
        counts[c] = np.bincount(said, weights=posterior[c].take(task), minlength=counts.shape[1])
    errors = np.where(ever, np.maximum(counts, _FLOOR), 0.0)
    by_worker = errors.reshape(n_classes, n_workers, n_classes)
    by_worker /= by_worker.sum(axis=2, keepdims=True)
    return errors


def _bound(posterior: Floats, priors: Floats, errors: Floats, counts: Floats, ever: Any) -> float:
    """The evidence lower bound as crowd-kit 1.4 defines it, which counts the prior once for each answer.

    The expectation over answers of log(errors) needs no pass over them: `counts` already holds their weights.
    """
    log_errors = np.log(errors, out=np.zeros_like(errors), where=ever)
    log_priors = np.log(np.maximum(priors, _FLOOR))
    clipped = np.maximum(posterior, _FLOOR)
    entropy = -(np.log(clipped) * clipped).sum()
    return float((counts * log_errors).sum() + (counts.sum(axis=1) * log_priors).sum() + entropy)


def _tally(answers: Answers) -> tuple[Ints, Ints, Ints]:
    """(task, label, count) of the pairs that occur, ascending: the sparse table of votes."""
    n_labels = max(1, len(answers.labels))
    pairs, count = np.unique(answers.task * n_labels + answers.label, return_counts=True)
    return pairs // n_labels, pairs % n_labels, count.astype(np.int64)


def _ties(task: Ints, label: Ints) -> dict[int, list[int]]:
    """From ascending (task, label) pairs of equally good labels: those tasks that have several."""
    found: dict[int, list[int]] = {}
    several = np.flatnonzero(np.bincount(task)[task] > 1)
    for index in several:
        found.setdefault(int(task[index]), []).append(int(label[index]))
    return found


def _codes(values: Sequence[Hashable]) -> tuple[list[Any], Ints]:
    """The distinct values in order of appearance, and each value as an index into them."""
    if isinstance(values, np.ndarray):
        if not (np.issubdtype(values.dtype, np.integer) and len(values)):
            return _codes(values.tolist())
        low, high = int(values.min()), int(values.max())
        if high - low > 4 * len(values):
            return _codes(values.tolist())
        # Small integers are their own hash: a table over their range, filled backwards so that the first one
        # stays.
        offsets = values.astype(np.int64) - low
        first = np.full(high - low + 1, -1)
        first[offsets[::-1]] = np.arange(len(values) - 1, -1, -1)
        distinct = values[np.sort(first[first >= 0])]
        table = np.empty(high - low + 1, dtype=np.int64)
        table[distinct.astype(np.int64) - low] = np.arange(len(distinct))
        return distinct.tolist(), table[offsets]
    index = {value: code for code, value in enumerate(dict.fromkeys(values))}
    return list(index), np.fromiter(map(index.__getitem__, values), dtype=np.int64, count=len(values))


def _label_order(labels: list[Any]) -> Callable[[int], Any]:
    """How labels are sorted: as numbers when all are, else as text."""
    try:
        numbers = [float(label) for label in labels]
    except (TypeError, ValueError):
        numbers = []
    if not all(map(math.isfinite, numbers)) or not numbers:
        return lambda index: str(labels[index])
    return lambda index: (numbers[index], str(labels[index]))
