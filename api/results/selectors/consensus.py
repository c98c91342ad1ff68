"""The consensus of a project's answers, and how good its workers are by it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connections, router

from api.projects.models import Project, Task
from api.results import errors
from api.results.aggregation import (
    METHODS,
    Answers,
    Consensus,
    DawidSkene,
    Floats,
    TooManyLabels,
    accuracy,
    agreement,
    krippendorff_alpha,
)
from api.results.selectors.keys import answer_keys, chosen_key
from api.results.selectors.rows import ALIAS, stream
from api.work.models import State

_SHOWN = 200

_LABELS = (
    f"SELECT a.position, COALESCE({ALIAS}, ''), a.answer ->> %s FROM work_assignment a"  # noqa: S608
    " WHERE a.project_id = %s AND a.state = ANY(%s) AND a.answer ->> %s IS NOT NULL"
)
_GOLD = """
SELECT position, gold ->> %s FROM projects_task
 WHERE project_id = %s AND gold IS NOT NULL AND gold ->> %s IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Labels:
    """The consensus of a project under one key: tasks are positions, workers pseudonyms, labels text."""

    project: Project
    key: str
    method: str
    consensus: Consensus

    def in_order(self) -> list[int]:
        """Indexes into the consensus, by position of their task."""
        return [int(index) for index in np.argsort(np.array(self.consensus.answers.tasks, dtype=np.int64))]

    def label(self, index: int) -> str:
        return str(self.consensus.answers.labels[self.consensus.label[index]])

    def tie(self, index: int) -> list[str] | None:
        """The labels that are equally good, when there are several."""
        equals = self.consensus.ties.get(index)
        return [str(self.consensus.answers.labels[each]) for each in equals] if equals else None

    def confidence(self, index: int) -> float:
        """Probability (Dawid–Skene) or share of votes (majority) of the label, to six digits."""
        return round(float(self.consensus.confidence[index]), 6)


def consensus_of(project: Project, *, method: str, key: str | None, states: Sequence[State]) -> Labels:
    """Aggregate the answers of `project` that are in one of `states`, by a method of `METHODS`.

    Labels are the values under `key` as text; answers without one are left out. Raises UnknownKey and TooManyLabels.
    """
    key = chosen_key(project, key)
    rows = stream(_LABELS, [project.collective_id, key, project.id, [str(state) for state in states], key])
    answers = Answers.from_rows((row[0], row[1], row[2]) for row in rows)
    try:
        return Labels(project, key, method, METHODS[method](answers))
    except TooManyLabels as error:
        raise errors.TooManyLabels(str(error)) from None


def gold_labels(project: Project, key: str) -> dict[int, str]:
    """The known label under `key`, by position, of the tasks that have one."""
    with connections[router.db_for_read(Task)].cursor() as cursor:
        cursor.execute(_GOLD, [key, project.id, key])
        return dict(cursor.fetchall())


def summary_of(labels: Labels) -> dict[str, Any]:
    """What the consensus came to as a whole, with the first 200 labels by position of their task."""
    consensus, answers = labels.consensus, labels.consensus.answers
    model = consensus if isinstance(consensus, DawidSkene) else None
    order = labels.in_order()
    counted = Counter(map(labels.label, order))
    gold = gold_labels(labels.project, labels.key)
    known = [index for index in order if answers.tasks[index] in gold]
    right = sum(labels.label(index) == gold[answers.tasks[index]] for index in known)
    return {
        "key": labels.key,
        "keys": answer_keys(labels.project),
        "method": labels.method,
        "classes": answers.labels,
        "tasks": len(answers.tasks),
        "answers": len(answers),
        "workers": len(answers.workers),
        "ties": len(consensus.ties),
        "alpha": krippendorff_alpha(answers),
        "iterations": model.iterations if model else None,
        "log_likelihood": model.log_likelihood[-1] if model and model.log_likelihood else None,
        "converged": model.converged if model else None,
        "priors": dict(zip(answers.labels, model.priors.tolist(), strict=True)) if model else None,
        "labels": _first_labels(labels, order[:_SHOWN]),
        "distribution": {name: counted[name] for name in answers.labels},
        "gold": {"tasks": len(known), "right": right} if gold else None,
    }


def worker_quality(labels: Labels) -> list[dict[str, Any]]:
    """How each worker's answers compare with the consensus and with gold; those who answered most come first.

    `accuracy` (the chance of a right answer to a task drawn by the priors) and `confusion` (share of each given
    label, by true label) are Dawid–Skene's, None after a majority.
    """
    consensus, answers = labels.consensus, labels.consensus.answers
    model = consensus if isinstance(consensus, DawidSkene) else None
    given = np.bincount(answers.worker, minlength=len(answers.workers)).tolist()
    agreed = agreement(consensus).tolist()
    accurate = accuracy(model).tolist() if model else [None] * len(given)
    of, right = _gold_by_worker(answers, gold_labels(labels.project, labels.key))
    found = [
        {
            "worker": alias,
            "answers": given[index],
            "agreement": agreed[index],
            "accuracy": accurate[index],
            "confusion": _confusion(model.confusion[index], answers.labels) if model else None,
            "gold": {"of": of[index], "right": right[index]} if of[index] else None,
        }
        for index, alias in enumerate(answers.workers)
    ]
    return sorted(found, key=lambda worker: (-worker["answers"], worker["worker"]))


def _gold_by_worker(answers: Answers, gold: dict[int, str]) -> tuple[list[int], list[int]]:
    """For each worker, how many of their answers are to tasks whose label is known, and how many of those are it."""
    code = {name: index for index, name in enumerate(answers.labels)}
    # -1 where nothing is known, -2 where the known label was never given.
    known = np.array([code.get(gold[task], -2) if task in gold else -1 for task in answers.tasks], dtype=np.int64)
    truth = known[answers.task] if len(answers) else known
    of = np.bincount(answers.worker, weights=truth != -1, minlength=len(answers.workers))
    right = np.bincount(answers.worker, weights=truth == answers.label, minlength=len(answers.workers))
    return of.astype(int).tolist(), right.astype(int).tolist()


def _confusion(matrix: Floats, names: list[str]) -> dict[str, dict[str, float]]:
    return {
        truth: {name: round(share, 6) for name, share in zip(names, row, strict=True)}
        for truth, row in zip(names, matrix.tolist(), strict=True)
    }


def _first_labels(labels: Labels, indexes: list[int]) -> list[dict[str, Any]]:
    positions = [labels.consensus.answers.tasks[index] for index in indexes]
    rows = Task.objects.filter(project_id=labels.project.id, position__in=positions)
    tasks: dict[int, tuple[UUID, str | None]] = {
        position: (identifier, key) for position, identifier, key in rows.values_list("position", "id", "key")
    }
    return [
        {
            "task": tasks[position][0],
            "position": position,
            "key": tasks[position][1],
            "label": labels.label(index),
            "tie": labels.tie(index),
            "confidence": labels.confidence(index),
            "answers": int(labels.consensus.votes[index]),
        }
        for index, position in zip(indexes, positions, strict=True)
    ]
